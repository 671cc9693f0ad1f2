"""A truth and a prediction, read and checked before they are compared."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.errors import InputError
from noisy_student.images import Geometry, read_geometry, read_image, unlike_a_volume


@dataclass
class JudgedPair:
    """Two label maps on one grid: uint8 arrays (z, y, x), the truth's geometry in stored (x, y, z) order."""

    truth_zyx: np.ndarray
    prediction_zyx: np.ndarray
    geometry: Geometry


def read_pair(truth: Path, prediction: Path, organs: int, checked: bool = True) -> JudgedPair:
    """Read both label maps. Raises InputError if the grids differ or a label is not one of 0 to `organs`.

    Unchecked, as in the official tools, only the sizes must agree: labels are cast to uint8 (257 becomes 1),
    those outside the table count as background, and the spacing is the truth's.
    """
    geometry, other = _geometry_3d(truth), _geometry_3d(prediction)
    differences = geometry.differences(other)
    if not checked:
        differences = [line for line in differences if line.startswith("size")]
    if differences:
        raise InputError(
            f"truth {truth} and prediction {prediction} on one grid",
            "; ".join(differences),
            "resample the prediction onto its scan's own grid (nearest neighbour), or pair it with the right truth",
        )
    return JudgedPair(read_labels(truth, organs, checked), read_labels(prediction, organs, checked), geometry)


def _geometry_3d(path: Path) -> Geometry:
    geometry = read_geometry(path)
    if len(geometry.size_xyz) != 3:
        raise InputError(
            f"a 3-D label map at {path}",
            f"{len(geometry.size_xyz)} dimensions, size {geometry.size_xyz}",
            "save one label map a file, without a time or channel axis",
        )
    return geometry


def read_labels(path: Path, organs: int, checked: bool = True) -> np.ndarray:
    """The label map as uint8 (z, y, x), copied out of the image. Raises InputError unless all labels are known."""
    image = read_image(path)
    if found := unlike_a_volume(image):
        raise InputError(f"a 3-D label map with one number per voxel at {path}", found, "export one label map a file")
    array = sitk.GetArrayFromImage(image)
    if checked:
        _require_known_labels(array, path, organs)
    if array.dtype != np.uint8:
        array = array.astype(np.int64).astype(np.uint8) if array.dtype.kind == "f" else array.astype(np.uint8)
    if not checked:
        array[array > organs] = 0
    return array


def _require_known_labels(array: np.ndarray, path: Path, organs: int) -> None:
    """Slice by slice, so that a map stored as float needs no second copy."""
    for slice_yx in array:
        if slice_yx.dtype == np.uint8 and slice_yx.max() <= organs:
            continue
        unknown = np.setdiff1d(slice_yx, range(organs + 1))
        if unknown.size:
            raise InputError(
                f"only the labels 0 to {organs} in {path}",
                "label " + ", ".join(f"{value:g}" for value in unknown[:5]),
                "map them to the label table (`organs`); a map of fractions was resampled without nearest neighbour",
            )
