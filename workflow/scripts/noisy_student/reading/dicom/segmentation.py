"""DICOM segmentations: binary, fractional at a half of their maximum, and label maps.

Each frame is laid on the scan's slice at its own position (ImagePositionPatient), since writers leave out empty ones,
run up or down, and write distances that are not those of the frames. Format: DICOM PS3.3, A.51, A.84 and C.8.20.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.pixels import iter_pixels

from noisy_student.errors import last_line
from noisy_student.reading.canvas import lay
from noisy_student.reading.dicom.frames import Frames, frames_of, on_slices, require_every_slice
from noisy_student.reading.dicom.identity import OF_SEGMENTATION
from noisy_student.reading.dicom.objects import SEGMENTATION, damaged, other_series, require_frame_of_reference
from noisy_student.reading.dicom.segment_names import segment_of
from noisy_student.reading.problems import unreadable
from noisy_student.reading.segments import Rank, Segment, roll_of
from noisy_student.reading.volume import Remark, Volume

# findings/totalsegmentator_seg_mirrors_prone.sh
MIRRORING_WRITER = "TotalSegmentator"


def read(path: Path, scan: Volume, rank: Rank | None) -> Volume:
    """The segments on the scan's grid. Raises InputError for a file that is damaged or does not lie on the scan."""
    try:
        data = pydicom.dcmread(path)
        segments = _segments(data)
    except Exception as error:  # pydicom raises whatever damaged bytes lead to
        raise damaged(path, SEGMENTATION, error) from error
    require_frame_of_reference(path, scan, str(data.get("FrameOfReferenceUID", "")))
    roll = roll_of(path, segments, rank)
    roll.remarks += other_series(scan, data, OF_SEGMENTATION)
    frames = frames_of(path, data, roll.numbers)
    if frames is None:
        return roll.volume(np.zeros(scan.geometry.size_xyz[::-1], roll.kind), scan, 0)
    roll.remarks += _exchanged_sides(data, frames)
    canvas, slices, starts_xy = on_slices(path, scan, frames, roll.kind)
    require_every_slice(path, canvas, frames, slices)
    there, overlaps = np.flatnonzero(slices >= 0), 0
    beyond = len(slices) - len(there)
    for place, frame_yx in zip(there, _pixels(path, data, frames.numbers[there]), strict=True):
        target_yx, part_yx = _common(canvas.voxels[slices[place]], frame_yx, starts_xy[place])
        beyond += bool(part_yx.size < frame_yx.size and np.count_nonzero(part_yx) < np.count_nonzero(frame_yx))
        for mask_yx, number in _masks(part_yx, frames.segments[place], frames.half, roll.numbers):
            overlaps += lay(target_yx, mask_yx, number)
    if beyond:
        roll.remarks.append(_beyond(beyond, len(slices)))
    return roll.volume(canvas.on_scan(), scan, overlaps)


def _exchanged_sides(data: Dataset, frames: Frames) -> list[Remark]:
    """A remark on segments of which the writer is known to exchange left and right, as of scans of prone patients."""
    if str(data.get("Manufacturer", "")) != MIRRORING_WRITER or frames.axes[0][0] > -0.5:
        return []
    found = (
        f"written by {MIRRORING_WRITER} for a scan whose rows run to the patient's right: its version 2.18.0 writes "
    )
    remedy = f"look whether organs lie on their sides; give the NIfTI files of {MIRRORING_WRITER} instead"
    return [Remark("sides", found + "left and right exchanged there", "organs on their sides", remedy)]


def _segments(data: Dataset) -> list[Segment]:
    """The segments; number 0 of a label map is background."""
    return [segment_of(segment) for segment in data.SegmentSequence if int(segment.SegmentNumber)]


def _pixels(path: Path, data: Dataset, numbers: np.ndarray) -> Iterator[np.ndarray]:
    """The stored values (y, x) of these frames, one after the other."""
    try:
        syntax = data.file_meta.TransferSyntaxUID
        if data.BitsAllocated == 1 and syntax.is_little_endian and not syntax.is_encapsulated:
            yield from (_unpacked(data, number) for number in numbers.tolist())
        else:
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
    remedy = "nothing, if the scan is a part of the one that was labelled: what lies beyond is left out"
    return Remark("beyond", f"{frames} of {of_all} frames beyond the scan", "all segments on the scan", remedy)
