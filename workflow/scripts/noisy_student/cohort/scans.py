"""Which scans there are: folders searched, tables read, names made, roles given."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from noisy_student.cohort.numbering import Numbers
from noisy_student.cohort.scan_table import file_of, rows_of
from noisy_student.configuration import Cohort, Folders, LabelledFolder, ScanFolder, ScanTable
from noisy_student.errors import InputError
from noisy_student.reading.dicom.files import is_dicom, visible_files

EXTENSIONS = (".nii.gz", ".nii", ".nrrd", ".mha")
ROLES = ("labelled", "unlabelled", "validation", "test")
LABELLED_ROLES = ("labelled", "validation", "test")
LONGEST_NAME = 150
# nnU-Net names a case's label map `<case>_seg`, so a case must not be named like one.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(?<!_seg)", re.IGNORECASE)


@dataclass(frozen=True)
class Scan:
    """A scan as the user gave it: a file, or the folder of a DICOM series.

    `truth` is kept aside for judging and never reaches a training. `labels`: the organs' numbers in its label map,
    where they are not the label table's.
    """

    case: str
    role: str
    image: Path
    label_map: Path | None = None
    truth: Path | None = None
    labels: Numbers | None = None

    @property
    def source(self) -> str:
        """Where the scan comes from."""
        return self.image.parent.name


def embedded_folders(root: Path) -> Folders:
    """Where `make_cohort.py` puts the scans of each role: FLARE22's own layout."""
    training = root / "Training"
    labelled = training / "FLARE22_LabeledCase50"
    return Folders(
        labelled=[LabelledFolder(images=labelled / "images", label_maps=labelled / "labels")],
        unlabelled=[ScanFolder(images=training / "FLARE22_UnlabeledCase2000", truth=root / "Truth")],
        validation=[LabelledFolder(images=root / "Validation/images", label_maps=root / "Validation/labels")],
        test=[LabelledFolder(images=root / "Test/images", label_maps=root / "Test/labels")],
    )


def folders_of(cohort: Cohort, embedded_root: Path) -> Folders:
    """The folders of a configured cohort."""
    return embedded_folders(embedded_root) if cohort.folders is None or cohort.kind == "embedded" else cohort.folders


def names_truth(entry: ScanFolder | ScanTable) -> bool:
    """Whether the unlabelled scans of a folder or table come with truths that are kept aside."""
    if isinstance(entry, ScanFolder):
        return entry.truth is not None
    return entry.table.exists() and any(row.get("truth") for row in rows_of(entry.table, ("case", "image")))


def find_scans(folders: Folders) -> list[Scan]:
    """Every scan of every folder and table, ordered by role and name."""
    return [scan for role in ROLES for entry in getattr(folders, role) for scan in _scans_of(role, entry)]


def _scans_of(role: str, entry: LabelledFolder | ScanFolder | ScanTable) -> Iterator[Scan]:
    if isinstance(entry, ScanTable):
        yield from _listed(role, entry)
        return
    for image in images_of(entry.images):
        case = case_name(image)
        if isinstance(entry, LabelledFolder):
            yield Scan(case, role, image, _beside(entry.label_maps, image, case), labels=entry.labels)
        else:
            truth = _beside(entry.truth, image, case) if entry.truth else None
            yield Scan(case, role, image, truth=truth if truth and truth.exists() else None, labels=entry.labels)


def _listed(role: str, entry: ScanTable) -> Iterator[Scan]:
    is_labelled = role in LABELLED_ROLES
    for row in rows_of(entry.table, ("case", "image", "label_map") if is_labelled else ("case", "image")):
        image, label_map, truth = (file_of(entry.table, row, name) for name in ("image", "label_map", "truth"))
        if is_labelled:
            yield Scan(row["case"], role, image, label_map, labels=entry.labels)
        else:
            yield Scan(row["case"], role, image, truth=truth, labels=entry.labels)


def images_of(folder: Path) -> list[Path]:
    """The scans in a folder, by name: files of a known format, and folders that each are a DICOM series."""
    if not folder.is_dir():
        raise InputError("a folder of scans", f"{folder} is no folder", "correct `cohort.folders`")
    visible = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    found = [path for path in visible if (_is_series(path) if path.is_dir() else path.name.endswith(EXTENSIONS))]
    if not found:
        wanted = f"scans ({', '.join(EXTENSIONS)}, or a folder for each DICOM series) in {folder}"
        raise InputError(wanted, "none", "correct `cohort.folders`")
    return found


def _is_series(folder: Path) -> bool:
    """Whether a folder among scans is one itself: it has DICOM files, or at least no other scans."""
    files = visible_files(folder)
    return any(map(is_dicom, files)) or not any(path.name.endswith(EXTENSIONS) for path in files)


def case_name(image: Path) -> str:
    """The scan's name without extension and without nnU-Net's channel number `_0000`."""
    extension = next((extension for extension in EXTENSIONS if image.name.endswith(extension)), "")
    return image.name.removesuffix(extension).removesuffix("_0000")


def is_plain_name(case: str) -> bool:
    """Whether a case's files can be named after it, everywhere and without a clash."""
    return bool(_PLAIN_NAME.fullmatch(case)) and len(case) <= LONGEST_NAME


def _beside(folder: Path, image: Path, case: str) -> Path:
    """The label map of a scan: named as the case or as the image, in any known format."""
    names = [case + extension for extension in EXTENSIONS] + [image.name]
    return next((folder / name for name in names if (folder / name).is_file()), folder / names[0])
