"""Checksums of the voxels of a label map: they tell whether it was changed since it was written."""

import hashlib
from collections.abc import Iterable
from math import prod

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import Dataset

# With 32 digits, a few words before them go into DICOM's Content Description, of 64 characters.
DIGITS = 32


def of_voxels(label_map: sitk.Image) -> str:
    """Of the numbers in their stored order; of whichever type, which programs change."""
    voxels = sitk.GetArrayViewFromImage(label_map)
    return _digits([str(voxels.shape).encode(), *(np.ascontiguousarray(part, "<f4") for part in voxels)])


def of_segments(data: Dataset) -> str:
    """Of the frames of a DICOM segmentation with one bit a voxel, and the segment of each."""
    frames = data.PerFrameFunctionalGroupsSequence
    # A segment that all frames share stands before them.
    groups = [*data.SharedFunctionalGroupsSequence, *frames]
    parts = [part for group in groups for part in group.get("SegmentIdentificationSequence", ())]
    segments = [int(part.ReferencedSegmentNumber) for part in parts]
    shape = len(frames), int(data.Rows), int(data.Columns)
    # Behind the voxels is what fills the last two bytes.
    return _digits([f"{shape} {segments}".encode(), data.PixelData[: -(-prod(shape) // 8)]])


def _digits(parts: Iterable[bytes | np.ndarray]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:DIGITS]
