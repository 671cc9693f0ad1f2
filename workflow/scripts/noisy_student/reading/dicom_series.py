"""A CT series from a folder of DICOM files: voxels in Hounsfield units and their grid, nothing of the patient.

An image's slices stand upright on each other at one distance. A series need not: slices may be missing, unevenly
spaced, or shifted by a tilted gantry. Such a series is refused, as its organs would come out deformed.
"""

import locale
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.dicom_files import dicom_files
from noisy_student.errors import InputError, last_line
from noisy_student.reading.itk import volume_of
from noisy_student.reading.volume import Volume

SERIES, MODALITY, POSITION, ORIENTATION = "0020|000e", "0008|0060", "0020|0032", "0020|0037"
PIXEL_SPACING, SLOPE = "0028|0030", "0028|1053"
# How far a slice may be from its place on the grid: along the stack as a share of the distance of two slices, across
# it as a share of a pixel.
UNEVEN, SHIFTED = 0.1, 0.5
DIRECTION_TOLERANCE = 1e-3
ONE_SERIES = "one CT series, all of its slices, and no other images"


@dataclass(frozen=True)
class Slice:
    """What a slice's header says about its place: position of its first pixel and its row and column axis (x, y, z)."""

    path: Path
    series: str
    size_xy: tuple[int, int]
    spacing_mm_xy: tuple[float, float]
    position_mm: np.ndarray
    axes: np.ndarray
    is_whole_hounsfield: bool

    @property
    def normal(self) -> np.ndarray:
        """The direction in which slices are stacked."""
        return np.cross(*self.axes)


@contextmanager
def kept_locale() -> Iterator[None]:
    """Keep the process's locale for the length of a block: GDCM sets it to C, and text files are ASCII from then on."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


@kept_locale()
def read(folder: Path) -> Volume:
    """The series as one volume in Hounsfield units. Raises InputError unless it is one evenly spaced CT."""
    slices = _stacked(folder, _one_series(folder, [_read_header(path) for path in dicom_files(folder)]))
    first, last = slices[0], slices[-1]
    distance_mm = float((last.position_mm - first.position_mm) @ first.normal) / (len(slices) - 1)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(slice_.path) for slice_ in slices])
    if not all(slice_.is_whole_hounsfield for slice_ in slices):
        reader.SetOutputPixelType(sitk.sitkFloat32)
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise _refused(folder, last_line(error), "restore the series") from error
    image.SetOrigin(first.position_mm.tolist())
    image.SetSpacing((*first.spacing_mm_xy, distance_mm))
    image.SetDirection(np.stack([*first.axes, first.normal], axis=1).ravel().tolist())
    return volume_of(folder, image)


def read_file(path: Path) -> Volume:
    """A scan given as one DICOM file. Raises InputError for a slice of a series."""
    raise InputError(ONE_SERIES, f"one slice, {path}", f"name its folder: {path.parent}")


def _read_header(path: Path) -> Slice:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        remedy = "restore the file; structure sets, segmentations and reports belong in another folder"
        raise _refused(path.parent, f"{path.name} cannot be read as an image", remedy) from error

    def text(key: str) -> str:
        return reader.GetMetaData(key).strip() if reader.HasMetaDataKey(key) else ""

    def numbers(key: str, count: int) -> np.ndarray:
        values = _numbers(text(key))
        if len(values) != count or not np.isfinite(values).all():
            raise _refused(
                path.parent, f"{path.name} does not say where it lies (tag {key})", "export the series again"
            )
        return values

    if text(MODALITY) != "CT":
        raise _refused(path.parent, f"{path.name} has the modality {text(MODALITY) or 'unknown'}", "take it out")
    if reader.GetSize()[2:] not in ((), (1,)):
        remedy = "convert it to NIfTI (dcm2niix) and name that file"
        raise _refused(path.parent, f"{path.name} holds {reader.GetSize()[2]} slices (enhanced DICOM)", remedy)
    numbers(PIXEL_SPACING, 2)
    is_whole = all(slope.is_integer() for slope in _numbers(text(SLOPE)))
    return Slice(
        path, text(SERIES), reader.GetSize()[:2], reader.GetSpacing()[:2], numbers(POSITION, 3),
        numbers(ORIENTATION, 6).reshape(2, 3), is_whole,
    )  # fmt: skip


def _numbers(text: str) -> np.ndarray:
    """The numbers of a header's text; none if one of them is no number."""
    try:
        return np.array([float(part) for part in text.split("\\")])
    except ValueError:
        return np.array([])


def _one_series(folder: Path, slices: list[Slice]) -> list[Slice]:
    by_series = defaultdict(list)
    for slice_ in slices:
        by_series[slice_.series].append(slice_)
    if len(by_series) > 1:
        listed = "; ".join(f"{len(members)} file(s) such as {members[0].path.name}" for members in by_series.values())
        remedy = "leave one series in the folder, or name the one series' own folder in a table of scans"
        raise _refused(folder, f"{len(by_series)} series: {listed}", remedy)
    if len(slices) < 2:
        raise _refused(folder, f"{len(slices)} DICOM slice(s)", "export the whole series")
    return slices


def _stacked(folder: Path, slices: list[Slice]) -> list[Slice]:
    """The slices from first to last, once it is sure that they make up a grid."""
    first = slices[0]
    for slice_ in slices:
        same = slice_.size_xy == first.size_xy and np.allclose(slice_.spacing_mm_xy, first.spacing_mm_xy, rtol=1e-3)
        if not same or not np.allclose(slice_.axes, first.axes, atol=DIRECTION_TOLERANCE):
            found = f"{slice_.path.name} and {first.path.name} differ in size, pixel spacing or orientation"
            raise _refused(folder, found, "take localizers and secondary images out of the folder")
    if not np.allclose(first.axes @ first.axes.T, np.eye(2), atol=DIRECTION_TOLERANCE):
        raise _refused(folder, "axes of the slices that are not perpendicular", "export the series again")
    heights = np.array([slice_.position_mm @ first.normal for slice_ in slices])
    order = np.argsort(heights, kind="stable")
    slices, heights = [slices[number] for number in order], heights[order]
    _require_even(folder, slices, heights)
    _require_upright(folder, slices, heights)
    return slices


def _require_even(folder: Path, slices: list[Slice], heights_mm: np.ndarray) -> None:
    gaps = np.diff(heights_mm)
    even = np.linspace(heights_mm[0], heights_mm[-1], len(heights_mm))
    if gaps.min() > 0 and np.abs(heights_mm - even).max() <= UNEVEN * gaps.mean():
        return
    wide = int(gaps.argmax())
    found = (
        f"slices {gaps.min():.4g} to {gaps.max():.4g} mm apart (median {np.median(gaps):.4g} mm), the widest gap "
        f"between {slices[wide].path.name} and {slices[wide + 1].path.name}"
    )
    remedy = "restore missing slices; phases at the same places are series of their own; else resample it evenly"
    raise _refused(folder, found, remedy)


def _require_upright(folder: Path, slices: list[Slice], heights_mm: np.ndarray) -> None:
    first = slices[0]
    moved = np.array([slice_.position_mm - first.position_mm for slice_ in slices])
    shifts = np.linalg.norm(moved - np.outer(heights_mm - heights_mm[0], first.normal), axis=1)
    if shifts.max() > SHIFTED * min(first.spacing_mm_xy):
        angle = np.degrees(np.arctan2(shifts[-1], heights_mm[-1] - heights_mm[0]))
        found = f"slices shifted by up to {shifts.max():.3g} mm against each other (gantry tilt {angle:.1f}°)"
        raise _refused(folder, found, "correct the tilt when converting to NIfTI (dcm2niix does) and name that file")


def _refused(folder: Path, got: str, remedy: str) -> InputError:
    return InputError(f"{ONE_SERIES} in {folder}", got, remedy)
