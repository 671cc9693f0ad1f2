"""A scan brought to canonical orientation, one format and nnU-Net's names."""

from pathlib import Path

import SimpleITK as sitk

from noisy_student.files import link
from noisy_student.images import CANONICAL_ORIENTATION, orientation, read_geometry, read_image, reorient, write_image

FORMAT = ".nii.gz"


def converted_image(root: Path, case: str) -> Path:
    """Where the converted scan lies: nnU-Net's name for the first and only channel."""
    return root / "images" / f"{case}_0000{FORMAT}"


def converted_label_map(root: Path, case: str) -> Path:
    """Where the converted label map of a labelled scan lies."""
    return root / "label_maps" / f"{case}{FORMAT}"


def convert(source: Path, target: Path, label_map: bool = False) -> None:
    """Write `source` as `target` in canonical orientation; link it where nothing has to change."""
    if not label_map and source.name.endswith(FORMAT) and _is_canonical(source):
        link(source, target)
        return
    image = reorient(read_image(source), CANONICAL_ORIENTATION)
    for key in image.GetMetaDataKeys():
        # Some formats keep names and dates of patients in theirs.
        image.EraseMetaData(key)
    write_image(sitk.Cast(image, sitk.sitkUInt8) if label_map else image, target)


def _is_canonical(path: Path) -> bool:
    return orientation(read_geometry(path).direction) == CANONICAL_ORIENTATION


def is_whole(path: Path) -> bool:
    """Whether `path` is there and every voxel of it can be read."""
    try:
        return path.exists() and read_image(path).GetDimension() == 3
    except Exception:
        return False
