"""Which label map belongs to which scan: by the same name, or, where that fails, by what both names have in common.

Only the same name pairs, and in one folder names that differ in words for images and label maps alone. Others are
shown, with the entry of the configuration or the line of a table that would pair them.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from noisy_student.cohort.converter_leavings import uncorrected_name
from noisy_student.cohort.organ_names import is_known
from noisy_student.files import visible
from noisy_student.reading.dicom.files import is_dicom
from noisy_student.reading.masks import files_in, masks_in, within
from noisy_student.reading.names import (
    EXTENSIONS,
    FIRST_CHANNEL,
    IMAGE_WORDS,
    LABEL_WORDS,
    PICTURES,
    case_name,
    extension_of,
    stem_of,
)

# The same where nothing else is in a case's folder: MONAI's, when its inverse transforms have run, and predictions.
OUTPUT_WORDS = {"trans", "pred", "prediction", "predictions", "output"}
SLICER_ENDING, DICOM_ENDING = ".seg", ".dcm"
Key = tuple[str | int, ...]
Item = TypeVar("Item")


def label_maps_in(folder: Path, apart_from: Iterable[Path] = ()) -> list[Path]:
    """The label maps of a folder, the preferred formats last; none of a folder that is not there.

    They are files, DICOM ones too, or folders with the masks or the one file of a case. A folder may hold scans and
    label maps together: a scan is no label map.
    """
    if not folder.is_dir():
        return []
    others = set(apart_from)
    found = [path for path in visible(folder) if path not in others and _is_label_map(path)]
    return sorted(found, key=_preference, reverse=True)


def by_name(label_maps: Iterable[Path]) -> dict[str, Path]:
    """Label maps by what they are named after."""
    return {named_after(path): label_map_at(path) for path in label_maps}


def named_after(label_map: Path) -> str:
    """The name of a label map without what says its format: `case.seg.nrrd`, `case.dcm` and `case/` are `case`."""
    name = label_map.name if label_map.is_dir() else stem_of(label_map)
    endings = (SLICER_ENDING, DICOM_ENDING)
    return next((name[: -len(ending)] for ending in endings if name.lower().endswith(ending)), name)


def label_map_at(path: Path) -> Path:
    """The label map that a path names: of the folder of a case its one file, or the folder of its masks."""
    if not path.is_dir():
        return path
    files = [file for file in visible(within(path)) if file.is_file()]
    dicom = [] if any(map(extension_of, files)) else [file for file in files if is_dicom(file)]
    if len(dicom) == 1:
        return dicom[0]
    files = files_in(path)
    return files[0] if len(files) == 1 and _is_whole(files[0], path) else within(path)


def _is_whole(file: Path, folder: Path) -> bool:
    """Whether the only file of a case's folder is its label map, and no mask: by its name, which means no organ.

    It is called a segmentation of 3D Slicer, or nothing but the case and words for label maps: `case/case_seg.nii.gz`.
    """
    name = stem_of(file)
    if name.lower().endswith(SLICER_ENDING):
        return True
    own = [part for part in key(name) if part not in OUTPUT_WORDS]
    return not is_known(name) and tuple(own) in ((), key(folder.name) or key(folder.parent.name))


def _is_label_map(path: Path) -> bool:
    if not path.is_dir():
        return bool(extension_of(path)) or path.suffix.lower() == DICOM_ENDING
    at = label_map_at(path)
    files = [] if at.is_file() else [file for file in visible(at) if file.is_file()]
    return at.is_file() or any(_is_of_label_map(file) for file in files) or bool(masks_in(path))


def _is_of_label_map(file: Path) -> bool:
    """Whether a file in a case's folder may be its label map, or a part of it; pictures are, so that they are named."""
    return bool(extension_of(file)) or file.suffix.lower() in PICTURES or is_dicom(file)


def _preference(path: Path) -> int:
    """The smaller, the better: a label map as a file with numbers first."""
    is_file = bool(extension_of(path)) and not stem_of(path).lower().endswith(SLICER_ENDING)
    return EXTENSIONS.index(extension_of(path)) if is_file else len(EXTENSIONS) + path.is_dir()


def label_map_of(image: Path, label_maps: Mapping[str, Path]) -> Path | None:
    """The label map that is named as the case, as the scan, or as what the scan is corrected from."""
    case = case_name(image)
    plain = uncorrected_name(case)
    names = (case, stem_of(image), plain, plain + FIRST_CHANNEL)
    return next((label_maps[name] for name in names if name in label_maps), None)


def likely_pairs(
    cases: Iterable[str], label_maps: Iterable[Path], by: Sequence[Callable[[str], Key]] = ()
) -> dict[str, Path]:
    """The label map that each case's name points to, where case and label map point to each other alone.

    In the order of the cases. Names are alike apart from words such as `img` and `label`, or at least in their numbers,
    or `by` other keys.
    """
    ordered = list(cases)
    left, free = set(ordered), set(label_maps)
    found: dict[str, Path] = {}
    for key_of in by or (key, _numbers):
        by_case = _alone((key_of(case), case) for case in left)
        by_label_map = _alone((key_of(named_after(path).removesuffix(FIRST_CHANNEL)), path) for path in free)
        found |= {by_case[key]: by_label_map[key] for key in by_case.keys() & by_label_map.keys()}
        left, free = left - found.keys(), free - set(found.values())
    return {case: found[case] for case in ordered if case in found}


def key(name: str) -> Key:
    """What is left of a name without words for images and label maps: `volume-3` and `segmentation-03` are (3,)."""
    said = [part for part in _parts(name) if part not in IMAGE_WORDS | LABEL_WORDS]
    return tuple(int(part) if part.isdigit() else part for part in said)


def is_named_a_label_map(path: Path) -> bool:
    """Whether a name has a word for label maps in it."""
    return any(part in LABEL_WORDS for part in _parts(stem_of(path)))


def table_line(case: str, image: Path, label_map: Path, column: str = "label_map") -> str:
    """A table of scans with this one in it."""
    return f"case\timage\t{column}\n{case}\t{image.absolute()}\t{label_map.absolute()}"


def _parts(name: str) -> list[str]:
    return re.findall("[a-z]+|[0-9]+", name.lower())


def _numbers(name: str) -> Key:
    return tuple(part for part in key(name) if isinstance(part, int))


def _alone(keyed: Iterable[tuple[Key, Item]]) -> dict[Key, Item]:
    """The items whose key no other item has; nothing has an empty key."""
    keyed = list(keyed)
    count = Counter(key for key, _ in keyed)
    return {key: item for key, item in keyed if key and count[key] == 1}
