"""DICOM segmentations: binary, fractional at a half of their maximum, and label maps.

Each frame is laid on the scan's slice at its own position (ImagePositionPatient), since writers leave out empty ones,
run up or down, and write distances that are not those of the frames. Format: DICOM PS3.3, A.51, A.84 and C.8.20.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.pixels import iter_pixels

from noisy_student.errors import InputError, last_line
from noisy_student.reading.canvas import Canvas, canvases, lay
from noisy_student.reading.dicom.objects import item, require_frame_of_reference
from noisy_student.reading.problems import unreadable
from noisy_student.reading.segments import Rank, Segment, roll_of
from noisy_student.reading.volume import Remark, Volume

# How far a frame may be from a slice of the scan, as a share of the slices' distance and of a pixel.
ON_SLICE = ON_PIXEL = 0.25
LABEL_MAP, FRACTIONAL = "LABELMAP", "FRACTIONAL"
# Codes of sides in SNOMED CT and SNOMED RT.
SIDES = {"7771000": "left", "24028007": "right", "G-A101": "left", "G-A100": "right"}
# Position, directions and distances of pixels where there is no frame.
NOWHERE = np.array([0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1], float)
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


def read(path: Path, scan: Volume, rank: Rank | None) -> Volume:
    """The segments on the scan's grid. Raises InputError for a file that is damaged or does not lie on the scan."""
    try:
        data = pydicom.dcmread(path)
        segments = _segments(data)
    except Exception as error:  # pydicom raises whatever damaged bytes lead to
        raise _damaged(path, error) from error
    require_frame_of_reference(path, scan, str(data.get("FrameOfReferenceUID", "")))
    roll = roll_of(path, segments, rank)
    frames = _frames(path, data, roll.numbers)
    canvas, slices, starts_xy = _on_slices(path, scan, frames, roll.kind)
    is_there = (slices >= 0) & (slices < len(canvas.voxels))
    if not is_there.all():
        roll.remarks.append(_beyond(np.count_nonzero(~is_there), len(slices)))
    there, overlaps = np.flatnonzero(is_there), 0
    for place, frame_yx in zip(there, _pixels(path, data, frames.numbers[there]), strict=True):
        target_yx, part_yx = _common(canvas.voxels[slices[place]], frame_yx, starts_xy[place])
        for mask_yx, number in _masks(part_yx, frames.segments[place], frames.half, roll.numbers):
            overlaps += lay(target_yx, mask_yx, number)
    return roll.volume(canvas.on_scan(), scan, overlaps)


def _damaged(path: Path, error: Exception) -> InputError:
    return unreadable(path, f"no whole DICOM segmentation: {last_line(error)}")


def _segments(data: Dataset) -> list[Segment]:
    """The segments; number 0 of a label map is background."""
    found = [(int(segment.SegmentNumber), segment) for segment in data.SegmentSequence]
    return [Segment(number, f"segment {number}", _names(segment)) for number, segment in found if number]


def _names(segment: Dataset) -> tuple[str, ...]:
    """What a segment is called, best first: its label with the side that a modifier adds, its label, its kind."""
    kind = item(segment, "SegmentedPropertyTypeCodeSequence")
    modifiers = kind.get("SegmentedPropertyTypeModifierCodeSequence") or ()
    side = next(filter(None, map(_side, modifiers)), "")
    words = [str(segment.get("SegmentLabel", "")).strip(), str(kind.get("CodeMeaning", "")).strip()]
    is_sided = any(other in words[0].lower() for other in SIDES.values())
    first = f"{side} {words[0]}" if side and words[0] and not is_sided else words[0]
    found = (first, words[0], f"{side} {words[1]}".strip(), words[1])
    return tuple(dict.fromkeys(filter(None, found))) or (f"segment {segment.SegmentNumber}",)


def _side(modifier: Dataset) -> str:
    meaning = str(modifier.get("CodeMeaning", "")).strip().lower()
    return SIDES.get(str(modifier.get("CodeValue", "")), meaning if meaning in SIDES.values() else "")


def _frames(path: Path, data: Dataset, read: Container[int]) -> Frames:
    """The frames of segments that are read. Raises InputError unless they are parallel and say where they lie."""
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
        raise _damaged(path, error) from error
    if len(places) and np.ptp(places[:, 3:], axis=0).max() > 1e-4:
        found = "frames of several directions or pixel sizes"
        raise InputError(
            f"parallel frames of one kind in {path}", found, "export the segmentation again, on one series"
        )
    _, rows, columns, spacing = np.split(places[0] if numbers else NOWHERE, [3, 6, 9])
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


def _on_slices(path: Path, scan: Volume, frames: Frames, kind: np.dtype) -> tuple[Canvas, np.ndarray, np.ndarray]:
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
    if len(is_beyond) and is_beyond.all():
        return f"none of its {len(is_beyond)} frames within the scan"
    if off.max(initial=0) > ON_SLICE:
        frames = np.count_nonzero(off > ON_SLICE)
        return f"{frames} of {len(is_beyond)} frames between slices, by up to {off.max():.2g} of their distance"
    if off_xy.max(initial=0) > ON_PIXEL:
        return f"pixels up to {off_xy.max():.2g} of a pixel off those of the scan"
    return ""


def _pixels(path: Path, data: Dataset, numbers: np.ndarray) -> Iterator[np.ndarray]:
    """The stored values (y, x) of these frames, one after the other."""
    try:
        syntax = data.file_meta.TransferSyntaxUID
        if data.BitsAllocated == 1 and syntax.is_little_endian and not syntax.is_encapsulated:
            yield from (_unpacked(data, number) for number in numbers.tolist())
        elif len(numbers):
            yield from iter_pixels(data, indices=numbers.tolist(), raw=True)
    except Exception as error:  # pydicom and its decoders raise whatever damaged bytes lead to
        remedy = "restore it; if it is whole, export it again uncompressed"
        raise unreadable(path, f"frames that cannot be decoded: {last_line(error)}", remedy) from error


def _unpacked(data: Dataset, number: int) -> np.ndarray:
    """A frame of bits that follow one another, across bytes from frame to frame (DICOM PS3.5, 8.1.1).

    pydicom 3.0 takes a byte too few of a frame that begins within one and is as long (findings/).
    """
    pixels = data.Rows * data.Columns
    first, shift = divmod(number * pixels, 8)
    stored = np.frombuffer(data.PixelData, np.uint8)[first : first + (shift + pixels + 7) // 8]
    return np.unpackbits(stored, bitorder="little")[shift : shift + pixels].reshape(data.Rows, data.Columns)


def _common(target_yx: np.ndarray, frame_yx: np.ndarray, start_xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a slice and a frame that begins at one of its pixels, or before, have in common."""
    start_yx = start_xy[::-1]
    low, high = np.maximum(start_yx, 0), np.minimum(start_yx + frame_yx.shape, target_yx.shape)
    rows, columns = (slice(first, max(first, last)) for first, last in zip(low, high, strict=True))
    first_yx = low - start_yx
    part_yx = frame_yx[first_yx[0] :, first_yx[1] :][: rows.stop - rows.start, : columns.stop - columns.start]
    return target_yx[rows, columns], part_yx


def _masks(
    frame_yx: np.ndarray, segment: int | None, half: float, numbers: Mapping[int, int]
) -> Iterator[tuple[np.ndarray, int]]:
    """The mask of each segment of a frame, and its number."""
    if segment is not None:
        yield frame_yx >= half, numbers[segment]
        return
    for key, number in numbers.items():
        yield frame_yx == key, number


def _beyond(frames: int, of_all: int) -> Remark:
    remedy = "nothing, if the scan is a part of the one that was labelled: they are left out"
    return Remark("beyond", f"{frames} of {of_all} frames beyond the scan's ends", "all frames on the scan", remedy)
