"""Stored values that mean that there is no voxel, such as those outside a scanner's round field of view."""

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from noisy_student.geometry import image_like
from noisy_student.reading.dicom.slice import Slice
from noisy_student.reading.volume import AIR_HU, Remark

# No tissue, contrast or metal has more.
BEYOND_CT_HU = 10_000


def without_padding(image: sitk.Image, slices: Sequence[Slice]) -> tuple[sitk.Image, list[Remark]]:
    """The image with air where slices say that they are padded with a value that no CT has.

    That is how -2000 comes out where it was stored as an unsigned number (63536). Padding within the range of CT, or
    below air, stays as it is.
    """
    padded = [(place, ends) for place, slice_ in enumerate(slices) if (ends := _padding_hu(slice_)) is not None]
    if not padded:
        return image, []
    voxels, count = sitk.GetArrayFromImage(image), 0
    for place, (low, high) in padded:
        is_padding = (voxels[place] >= low) & (voxels[place] <= high)
        count += int(np.count_nonzero(is_padding))
        voxels[place][is_padding] = AIR_HU
    if not count:
        return image, []
    return image_like(voxels, image), [_padded(padded[0][1], count / voxels.size)]


def _padding_hu(slice_: Slice) -> tuple[float, float] | None:
    """The lowest and highest padding in Hounsfield units, half a stored step wider, if no CT has it."""
    if slice_.padding is None or slice_.is_signed:
        return None
    slope, intercept = slice_.scale
    low, high = sorted(stored * slope + intercept for stored in slice_.padding)
    return (low - abs(slope) / 2, high + abs(slope) / 2) if low > BEYOND_CT_HU else None


def _padded(ends: tuple[float, float], share: float) -> Remark:
    found = f"padding of {np.mean(ends):g} HU in {share:.2%} of the voxels, as the headers say (pixel padding value)"
    return Remark("padding", found, "Hounsfield units", f"nothing: read as {AIR_HU} HU")
