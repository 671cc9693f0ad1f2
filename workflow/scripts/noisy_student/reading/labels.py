"""Whole numbers of a label map, also where a program stored them through a scaling that does not give them back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.errors import InputError
from noisy_student.geometry import image_like
from noisy_student.reading.volume import Remark, Volume

# Reals under a header of whole numbers come back as 2.9999 or 3.02 for 3.
ROUNDED_WITHIN = 0.05
LARGEST = 2**31 - 1
WHOLE = "whole numbers as labels"


def whole_labels(path: Path, volume: Volume) -> Volume:
    """The label map with its voxels as whole numbers. Raises InputError where they are fractions."""
    voxels = sitk.GetArrayViewFromImage(volume.image)
    if voxels.dtype.kind in "iu":
        return volume
    labels, off = np.empty(voxels.shape, np.int32), 0.0
    for target, slice_yx in zip(labels, voxels, strict=True):
        whole = np.rint(slice_yx)
        off = max(off, float(np.abs(slice_yx - whole).max()))
        if off > ROUNDED_WITHIN or np.abs(whole).max() > LARGEST:
            raise _fractions(path, volume, slice_yx)
        target[:] = whole
    # What a scaling gives, readers round differently.
    is_plain = volume.is_plain and not volume.scaling
    remarks = (*volume.remarks, _rounded(volume, off)) if off else volume.remarks
    return replace(volume, image=image_like(labels, volume.image), is_plain=is_plain, remarks=remarks)


def _rounded(volume: Volume, off: float) -> Remark:
    scaling = f" by a scaling in the header ({volume.scaling})" if volume.scaling else ""
    found = f"labels that are off whole numbers by up to {off:.2g}{scaling}"
    return Remark("rounded", found, WHOLE, "nothing: read as the nearest whole numbers")


def _fractions(path: Path, volume: Volume, slice_yx: np.ndarray) -> InputError:
    fractions = np.unique(slice_yx[np.abs(slice_yx - np.rint(slice_yx)) > ROUNDED_WITHIN])
    found = "labels " + ", ".join(f"{value:g}" for value in (fractions if fractions.size else np.unique(slice_yx))[:5])
    remedy = "it was interpolated: make it again with nearest neighbour from the original label map"
    if volume.scaling:
        found += f", by a scaling in the header ({volume.scaling})"
        remedy = "save the label map again as whole numbers (uint8) without a scaling; resampling is no remedy"
    return InputError(f"{WHOLE} in {path}", found, remedy)
