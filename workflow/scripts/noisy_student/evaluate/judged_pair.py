"""A truth and a prediction, read and checked before they are compared."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.numbers_by_name import Taken
from noisy_student.errors import InputError
from noisy_student.evaluate.by_name import OTHER_NUMBERS, PREDICTION, TRUTH, Read, Table, read_both, read_one
from noisy_student.geometry import Geometry, reorient, turned_like
from noisy_student.reading.door import read_scan
from noisy_student.reading.other_grid import grid_differences, grid_remedy
from noisy_student.reading.volume import Remark, Volume

FileRemark = tuple[Path, Remark]


class FileNames(NamedTuple):
    """The names by which a truth or a prediction (`role`) got the label table's numbers."""

    role: str
    path: Path
    taken: Taken


@dataclass
class JudgedPair:
    """Two label maps on one grid: uint8 arrays (z, y, x), the grid, and what has to be said of the files."""

    truth_zyx: np.ndarray
    prediction_zyx: np.ndarray
    geometry: Geometry
    remarks: list[FileRemark] = field(default_factory=list)
    names: list[FileNames] = field(default_factory=list)


def read_pair(
    truth: Path, prediction: Path, organs: int, checked: bool = True, table: Table | None = None
) -> JudgedPair:
    """Read both label maps in canonical orientation, in whichever axis orders they are stored.

    `table`: what the names of organs mean, for those that have names.

    Raises InputError if the grids differ, names do not fit, or a label is not one of 0 to `organs`.

    Unchecked, as in the official tools, both are taken as stored and only the sizes must agree: labels are cast to
    uint8 (257 becomes 1), those outside the table count as background, and the spacing is the truth's.
    """
    paths = truth, prediction
    read = read_both(*paths, table) if checked else [Read(read_scan(path), None) for path in paths]
    first, second = (_as_judged(volume, checked) for volume, _ in read)
    geometry = Geometry.of(first)
    second = turned_like(second, geometry) if checked else second
    if checked:
        differences = grid_differences(read[1].volume, second, read[0].volume)
    else:
        differences = [line for line in geometry.differences(Geometry.of(second)) if line.startswith("size")]
    if differences:
        remedy = grid_remedy(read[1].volume, read[0].volume, "prediction", "truth")
        raise InputError(
            f"truth {truth} and prediction {prediction} on one grid",
            "; ".join(differences),
            f"pair the prediction with the right truth; {remedy}",
        )
    arrays = (_in_table(image, path, organs, checked) for image, path in ((first, truth), (second, prediction)))
    remarks = [(path, remark) for path, one in zip(paths, read, strict=True) for remark in one.volume.remarks]
    names = [
        FileNames(role, path, one.taken)
        for role, path, one in zip((TRUTH, PREDICTION), paths, read, strict=True)
        if one.taken
    ]
    return JudgedPair(*arrays, geometry, remarks, names)


def read_labels(
    truth: Path, organs: int, checked: bool = True, table: Table | None = None
) -> tuple[np.ndarray, Geometry, list[FileRemark], list[FileNames]]:
    """A truth as uint8 (z, y, x), its grid, what has to be said of it, and its names.

    Raises InputError unless all labels are known.
    """
    volume, taken = read_one(truth, TRUTH, table) if checked else Read(read_scan(truth), None)
    image = _as_judged(volume, checked)
    names = [FileNames(TRUTH, truth, taken)] if taken else []
    remarks = [(truth, remark) for remark in volume.remarks]
    return _in_table(image, truth, organs, checked), Geometry.of(image), remarks, names


def _as_judged(volume: Volume, checked: bool) -> sitk.Image:
    return volume.image if checked else reorient(volume.image, volume.letters)


def _in_table(image: sitk.Image, path: Path, organs: int, checked: bool) -> np.ndarray:
    array = sitk.GetArrayFromImage(image)
    if checked:
        _require_known_labels(array, path, organs)
    if array.dtype != np.uint8:
        array = array.astype(np.int64).astype(np.uint8) if array.dtype.kind == "f" else array.astype(np.uint8)
    if not checked:
        array[array > organs] = 0
    return array


def _require_known_labels(array: np.ndarray, path: Path, organs: int) -> None:
    """Slice by slice, so that a wide type needs no second copy."""
    for slice_yx in array:
        if slice_yx.dtype == np.uint8 and slice_yx.max() <= organs:
            continue
        unknown = np.setdiff1d(slice_yx, range(organs + 1))
        if unknown.size:
            raise InputError(
                f"only the labels 0 to {organs} in {path}",
                "label " + ", ".join(f"{value:g}" for value in unknown[:5]),
                f"for label maps in other numbers than the label table's: {OTHER_NUMBERS}",
            )
