"""Frames of a DICOM segmentation: where they lie by their headers, and on which of the scan's slices that is.

Format: DICOM PS3.3, C.7.6.16 and A.51.
"""

from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from noisy_student.errors import InputError
from noisy_student.reading.canvas import Canvas, canvases
from noisy_student.reading.dicom.objects import SEGMENTATION, damaged, item
from noisy_student.reading.volume import Volume

# How far a frame may be from a slice of the scan, as a share of the slices' distance and of a pixel.
ON_SLICE = ON_PIXEL = 0.25
LABEL_MAP, FRACTIONAL = "LABELMAP", "FRACTIONAL"
OTHER_SCAN = (
    "give the scan that it was drawn on, best its DICOM series; if it was drawn on another grid, convert it to NIfTI "
    "(dcmqi: segimage2itkimage) and resample that onto the scan's (nearest neighbour)"
)


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames of one size: number in the file, segment, and position of the first pixel (n, 3); axes as rows (3, 3).

    The segment is None in a label map, whose frames have the numbers of several. A voxel is in the segment from `half`
    on.
    """

    numbers: np.ndarray
    segments: list[int | None]
    positions_mm: np.ndarray
    axes: np.ndarray
    spacing_mm_xy: np.ndarray
    size_xy: np.ndarray
    half: float


def frames_of(path: Path, data: Dataset, read: Container[int]) -> Frames | None:
    """The frames of segments that are read, or None. Raises InputError unless they are parallel and say where."""
    try:
        shared = item(data, "SharedFunctionalGroupsSequence")
        frames = list(data.get("PerFrameFunctionalGroupsSequence") or [Dataset()] * int(data.get("NumberOfFrames", 1)))
        is_label_map = data.SegmentationType == LABEL_MAP
        segments = [None if is_label_map else _segment(frame, shared) for frame in frames]
        numbers = [number for number, segment in enumerate(segments) if segment is None or segment in read]
        places = np.array([_place(frames[number], shared) for number in numbers]).reshape(-1, 11)
        half = data.MaximumFractionalValue / 2 if data.SegmentationType == FRACTIONAL else 0.5
        size_xy = np.array([data.Columns, data.Rows])
    except Exception as error:  # pydicom raises whatever damaged bytes lead to
        raise damaged(path, SEGMENTATION, error) from error
    if not numbers:
        return None
    if np.ptp(places[:, 3:], axis=0).max() > 1e-4:
        found = "frames of several directions or pixel sizes"
        remedy = "export the segmentation again, on one series"
        raise InputError(f"parallel frames of one kind in {path}", found, remedy)
    _, rows, columns, spacing = np.split(places[0], [3, 6, 9])
    axes = np.array([rows, columns, np.cross(rows, columns)])
    chosen = [segments[number] for number in numbers]
    return Frames(np.array(numbers, int), chosen, places[:, :3], axes, spacing[::-1], size_xy, half)


def _segment(frame: Dataset, shared: Dataset) -> int:
    return int(_group(frame, shared, "SegmentIdentificationSequence").ReferencedSegmentNumber)


def _place(frame: Dataset, shared: Dataset) -> list[float]:
    """Position, direction of columns and rows, and distance of rows and columns, as the header has them."""
    position, orientation, measures = (
        _group(frame, shared, f"{name}Sequence") for name in ("PlanePosition", "PlaneOrientation", "PixelMeasures")
    )
    return [*position.ImagePositionPatient, *orientation.ImageOrientationPatient, *measures.PixelSpacing]


def _group(frame: Dataset, shared: Dataset, keyword: str) -> Dataset:
    """A functional group of a frame, which may be that of all."""
    return item(frame, keyword) or item(shared, keyword)


def on_slices(path: Path, scan: Volume, frames: Frames, kind: np.dtype) -> tuple[Canvas, np.ndarray, np.ndarray]:
    """Where the frames belong: a canvas, the number of each one's slice on it, which may be none, and its first pixel.

    Raises InputError if they do not lie on the slices as they were acquired, nor on the scan's grid.
    """
    said = []
    for canvas in canvases(scan, frames.axes[2], kind):
        turned = canvas.along(frames.axes)
        slices, starts_xy, problem = _fit(turned, frames)
        if not problem:
            return turned, slices, starts_xy
        said.append(problem)
    raise InputError(f"{path} on the slices of its scan", said[0], OTHER_SCAN)


def require_every_slice(path: Path, canvas: Canvas, frames: Frames, slices: np.ndarray) -> None:
    """Raise InputError where a segment has frames on every second slice or so, as drawn on slices further apart.

    Slices may lack frames where nothing was drawn, but not at a constant step.
    """
    by_segment = defaultdict(set)
    for segment, number in zip(frames.segments, slices.tolist(), strict=True):
        if number >= 0:
            by_segment[segment].add(number)
    heights_mm = canvas.slices.heights_mm
    for numbers in by_segment.values():
        there = sorted(numbers)
        steps = np.diff(there)
        if _is_regular(steps):
            drawn_mm = np.median(np.diff(heights_mm[there])[steps == steps.min()])
            scan_mm = np.median(np.diff(heights_mm))
            found = f"a segment drawn on slices {drawn_mm:.4g} mm apart, where the scan's are {scan_mm:.4g} mm apart"
            raise InputError(f"{path} on the slices of its scan", found, OTHER_SCAN)


def _is_regular(steps: np.ndarray) -> bool:
    """Whether slices are left out at one step: all are multiples of the least, which comes more than once."""
    least = min(steps, default=1)
    return bool(least > 1 and not (steps % least).any() and np.count_nonzero(steps == least) > 1)


def _fit(canvas: Canvas, frames: Frames) -> tuple[np.ndarray, np.ndarray, str]:
    """For each frame the number of its slice and its first pixel (x, y) there; what is wrong, if they do not fit."""
    far_mm = frames.positions_mm + ((frames.size_xy - 1) * frames.spacing_mm_xy) @ frames.axes[:2]
    at, far_at = (canvas.slices.numbers_at(points_mm) for points_mm in (frames.positions_mm, far_mm))
    slices = np.rint(at).astype(int)
    is_beyond = (at < -ON_SLICE) | (at > len(canvas.voxels) - 1 + ON_SLICE)
    slices[is_beyond] = -1
    near_xy, far_xy = (canvas.slices.pixels_at(points_mm, slices) for points_mm in (frames.positions_mm, far_mm))
    starts_xy = np.rint(near_xy).astype(int)
    off = np.maximum(np.abs(at - slices), np.abs(far_at - slices))[~is_beyond]
    off_xy = np.maximum(np.abs(near_xy - starts_xy), np.abs(far_xy - starts_xy - frames.size_xy + 1))[~is_beyond]
    return slices, starts_xy, _problem(off, off_xy, is_beyond)


def _problem(off: np.ndarray, off_xy: np.ndarray, is_beyond: np.ndarray) -> str:
    if is_beyond.all():
        return f"none of its {len(is_beyond)} frames within the scan"
    if off.max() > ON_SLICE:
        frames = np.count_nonzero(off > ON_SLICE)
        return f"{frames} of {len(is_beyond)} frames between slices, by up to {off.max():.2g} of their distance"
    if off_xy.max() > ON_PIXEL:
        return f"pixels up to {off_xy.max():.2g} of a pixel off those of the scan"
    return ""
