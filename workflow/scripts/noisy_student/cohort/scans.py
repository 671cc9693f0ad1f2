"""Which scans there are: folders searched, names made, roles given."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from noisy_student.cohort.numbering import Numbers
from noisy_student.configuration import Cohort, Folders, LabelledFolder, ScanFolder
from noisy_student.errors import InputError

EXTENSIONS = (".nii.gz", ".nii", ".nrrd", ".mha")
ROLES = ("labelled", "unlabelled", "validation", "test")
_CASE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Scan:
    """A scan as the user gave it. `truth` is kept aside for judging and never reaches a training.

    `labels`: the organs' numbers in its label map, where they are not the label table's.
    """

    case: str
    role: str
    image: Path
    label_map: Path | None = None
    truth: Path | None = None
    labels: Numbers | None = None


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


def find_scans(folders: Folders) -> list[Scan]:
    """Every scan of every folder, ordered by role and name."""
    return [scan for role in ROLES for folder in getattr(folders, role) for scan in _scans_of(role, folder)]


def _scans_of(role: str, folder: LabelledFolder | ScanFolder) -> Iterator[Scan]:
    if not folder.images.is_dir():
        raise InputError(f"a folder of {role} scans", f"{folder.images} is no folder", "correct `cohort.folders`")
    files = sorted(path for path in folder.images.iterdir() if path.name.endswith(EXTENSIONS))
    if not files:
        raise InputError(f"scans ({', '.join(EXTENSIONS)}) in {folder.images}", "none", "correct `cohort.folders`")
    for image in files:
        case = case_name(image)
        if isinstance(folder, LabelledFolder):
            yield Scan(case, role, image, _beside(folder.label_maps, image, case), labels=folder.labels)
        else:
            truth = _beside(folder.truth, image, case) if folder.truth else None
            yield Scan(case, role, image, truth=truth if truth and truth.exists() else None, labels=folder.labels)


def case_name(image: Path) -> str:
    """The scan's name without extension and without nnU-Net's channel number `_0000`."""
    stem = next(image.name.removesuffix(extension) for extension in EXTENSIONS if image.name.endswith(extension))
    case = stem.removesuffix("_0000")
    if not _CASE_NAME.fullmatch(case):
        raise InputError(
            "a file name of letters, digits, `_`, `-` and `.`, which becomes the case's name", str(image), "rename it"
        )
    return case


def _beside(folder: Path, image: Path, case: str) -> Path:
    """The label map of a scan: named as the case or as the image, in any known format."""
    names = [case + extension for extension in EXTENSIONS] + [image.name]
    return next((folder / name for name in names if (folder / name).exists()), folder / names[0])
