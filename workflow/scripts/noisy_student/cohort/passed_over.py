"""What lies in a folder of scans: the scans, and what is passed over and why."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from noisy_student.cohort.converter_leavings import superseded
from noisy_student.cohort.pairing import is_named_a_label_map, key
from noisy_student.files import visible
from noisy_student.lists import first_of
from noisy_student.reading.by_content import data_files
from noisy_student.reading.dicom.files import is_dicom, visible_files
from noisy_student.reading.names import EXTENSIONS, case_name, extension_of, stem_of

PAIRS = (".hdr", ".img", ".hdr.gz", ".img.gz")
ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar")
# What lies beside scans without being one, by the end of its name.
SIDE_FILES = (
    *(".json", ".txt", ".csv", ".tsv", ".md", ".pdf", ".xml", ".yaml", ".yml", ".html", ".log", ".bval", ".bvec"),
    *(".png", ".jpg", ".jpeg", ".md5", ".sha256"),
)
SLICER_SEGMENTATION = ".seg.nrrd"
OF_IMAGES = "file(s) such as"
MAC_RESOURCES = "__MACOSX"
SHOWN = 3


@dataclass(frozen=True)
class PassedOver:
    """An entry of a folder that is not used, and why."""

    path: Path
    why: str


@dataclass(frozen=True)
class Contents:
    """The scans of a folder, by name; those of which a better corrected one was taken; what else was passed over."""

    scans: list[Path]
    superseded: Mapping[Path, Path]
    passed_over: list[PassedOver]


def contents(folder: Path, apart_from: Collection[Path] = (), ending: str = "") -> Contents:
    """Look through a folder, apart from some of its entries (absolute paths).

    A scan is a file of a known format, or a folder that is one DICOM series. Of a dataset of nnU-Net, whose images have
    one `ending`, it is a file with that.
    """
    entries = [path for path in visible(folder) if path.absolute() not in apart_from]
    found = [path for path in entries if (_is_series(path) if path.is_dir() else extension_of(path))]
    not_scans = _of_other_endings(found, ending)
    not_scans |= _label_maps_among(path for path in found if path not in not_scans)
    scans = [path for path in found if path not in not_scans]
    corrected = superseded(scans)
    others = [PassedOver(path, why) for path, why in not_scans.items()]
    others += [PassedOver(path, why_not(path)) for path in without_companions(entries, found)]
    return Contents([path for path in scans if path not in corrected], corrected, sorted(others, key=_weight))


def some_names(paths: Sequence[Path]) -> str:
    """Some names; empty for none."""
    return first_of([path.name for path in paths], SHOWN)


def in_words(passed_over: Iterable[PassedOver], shown: int = SHOWN) -> str:
    """Some by name with the reason, different reasons first."""
    passed_over = list(passed_over)
    first = {entry.why: entry for entry in reversed(passed_over)}
    chosen = sorted(passed_over, key=lambda entry: first[entry.why] is not entry)
    listed = "; ".join(f"{entry.path.name} ({entry.why})" for entry in chosen[:shown])
    return listed + ("; …" if len(passed_over) > shown else "")


def is_of_a_case(entry: PassedOver) -> bool:
    """Whether it is a folder in which a case's scan may lie: with image files, and not called after label maps."""
    return entry.path.is_dir() and OF_IMAGES in entry.why and not is_named_a_label_map(entry.path)


def why_not(path: Path) -> str:
    """Why an entry of a folder is no scan."""
    name = path.name.lower()
    if path.is_dir():
        return _why_no_series(path)
    if name.endswith(PAIRS):
        return "a .hdr/.img pair is not read: convert it to .nii.gz"
    if name.endswith(ARCHIVES):
        return "an archive: unpack it"
    if name.endswith(SIDE_FILES):
        return "no image of a patient"
    if is_dicom(path):
        return "DICOM: each series belongs in a folder of its own"
    return f"none of the formats {', '.join(EXTENSIONS)}"


def without_companions(entries: Iterable[Path], found: Iterable[Path]) -> list[Path]:
    """What is neither a scan, nor the voxels of a scan's header, nor a side file of a scan's name."""
    scans = set(found)
    used = scans.union(*(data_files(path) for path in scans if path.is_file()))
    stems = {name for path in scans for name in (stem_of(path), case_name(path))}
    return [path for path in entries if path not in used and not _is_side_file(path, stems)]


def _is_series(folder: Path) -> bool:
    """Whether a folder is a scan itself: it has DICOM files, or nothing that is known to be something else."""
    files = visible_files(folder)
    if any(map(is_dicom, files)):
        return True
    if any(map(extension_of, files)) or folder.name == MAC_RESOURCES:
        return False
    known = (*PAIRS, *ARCHIVES, *SIDE_FILES)
    return not files or not all(path.name.lower().endswith(known) for path in files)


def _why_no_series(folder: Path) -> str:
    files = visible_files(folder)
    scans = [path for path in files if extension_of(path)]
    if not scans:
        return "a folder without DICOM files"
    return f"a folder with {len(scans)} {OF_IMAGES} {scans[0].relative_to(folder)}"


def _of_other_endings(found: Iterable[Path], ending: str) -> dict[Path, str]:
    """What a dataset's description does not count among its images, and why."""
    why = f"not {ending}, the `file_ending` in dataset.json" + (" or its default" if ending == EXTENSIONS[0] else "")
    return {path: why for path in found if not path.name.lower().endswith(ending.lower())}


def _label_maps_among(found: Iterable[Path]) -> dict[Path, str]:
    """Files among scans that are label maps by their name, and why they are taken for one."""
    named = {path: is_named_a_label_map(path) for path in found}
    scans = {key(case_name(path)): path for path, is_label_map in named.items() if not is_label_map}
    reasons = {path: scans.get(key(case_name(path))) for path, is_label_map in named.items() if is_label_map}
    why = {path: f"the label map of {scan.name}, by its name" for path, scan in reasons.items() if scan}
    slicers = [path for path in named if path.name.lower().endswith(SLICER_SEGMENTATION)]
    return {path: "a segmentation of 3D Slicer" for path in slicers} | why


def _is_side_file(path: Path, stems: Collection[str]) -> bool:
    parts = path.name.split(".")
    beginnings = (".".join(parts[:number]) for number in range(1, len(parts)))
    return path.name.lower().endswith(SIDE_FILES) and any(beginning in stems for beginning in beginnings)


def _weight(entry: PassedOver) -> tuple[bool, str]:
    """What may hold a scan first."""
    return entry.path.name.lower().endswith(SIDE_FILES), entry.path.name
