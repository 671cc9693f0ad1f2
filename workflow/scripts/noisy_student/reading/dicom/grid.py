"""The grid of a DICOM series: as its slices lie, or upright and even where they do not lie so."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.reading.dicom.gaps import ROUNDED_MM, distances_mm, is_even
from noisy_student.reading.dicom.slice import EXPORT_AGAIN, refused
from noisy_student.reading.dicom.stack import Stack
from noisy_student.reading.dicom.upright import even_heights_mm, margins, nearest_slices, upright_slices
from noisy_student.reading.slices import Acquired, Slices

# How far from one straight line slices of a tilted gantry may lie, as a share of a pixel.
STEADY = 0.1
# Slices shifted by less than this share of a pixel in all stand upright: values as stored are worth more.
UPRIGHT = 0.25


def on_grid(path: Path, image: sitk.Image, stack: Stack, is_labels: bool = False) -> tuple[sitk.Image, Acquired, str]:
    """The image where its slices lie, resampled if they are no grid; how they lay; in words what was corrected.

    Labels are those of the nearest slice and pixel.
    """
    heights_mm, even = stack.heights_mm, is_even(stack.gaps_mm)
    grid_mm = np.linspace(0, heights_mm[-1], len(heights_mm)) if even else even_heights_mm(heights_mm)
    shifts_xy, said = _shifts(stack)
    corrected = [said] if said else []
    if not even:
        corrected += [f"slices {distances_mm(stack.gaps_mm)} mm apart resampled to {grid_mm[1] - grid_mm[0]:.4g} mm"]
    first = stack.slices[0]
    images = tuple((slice_.instance, (slice_.frame or 0) + 1) for slice_ in stack.slices)
    acquired = Acquired(_slices(image, stack), shifts_xy, grid_mm, first.frame_of_reference, first.series, images)
    if not corrected:
        return _placed(image, stack, grid_mm, np.zeros(2)), acquired, ""
    if (np.ptp(shifts_xy, axis=0) > image.GetSize()[:2]).any():
        raise refused(path, "slices shifted against each other by more than they are wide", EXPORT_AGAIN)
    return _resampled(image, stack, grid_mm, shifts_xy, is_labels), acquired, "; ".join(corrected)


def _slices(image: sitk.Image, stack: Stack) -> Slices:
    positions_mm = np.array([slice_.position_mm for slice_ in stack.slices])
    spacing_mm_xy = stack.slices[0].spacing_mm_xy
    return Slices(positions_mm, stack.axes, spacing_mm_xy, image.GetSize()[:2], float(stack.gaps_mm[0]))


def _shifts(stack: Stack) -> tuple[np.ndarray, str]:
    """By how many pixels (x, y) each slice is to be shifted back, and what shifted them in words; zeros and "" if none.

    Those of a tilted gantry grow with the height; what rounding adds to that is no shift.
    """
    pixel_mm, heights_mm = np.array(stack.slices[0].spacing_mm_xy), stack.heights_mm - stack.heights_mm.mean()
    slope_xy = heights_mm @ stack.shifts_xy / (heights_mm @ heights_mm)
    tilted_xy = np.outer(stack.heights_mm, slope_xy)
    off_xy = stack.shifts_xy - stack.shifts_xy.mean(axis=0) - np.outer(heights_mm, slope_xy)
    is_steady = (np.abs(off_xy) <= np.maximum(STEADY, ROUNDED_MM / pixel_mm)).all()
    shifts_xy = np.round(tilted_xy if is_steady else stack.shifts_xy, 3)
    range_xy = np.ptp(shifts_xy, axis=0)
    if np.linalg.norm(range_xy) <= UPRIGHT:
        return np.zeros_like(shifts_xy), ""
    if not is_steady:
        shifted_mm = np.linalg.norm(range_xy * pixel_mm)
        return shifts_xy, f"slices shifted by up to {shifted_mm:.3g} mm against each other corrected, resampled"
    degrees = np.degrees(np.arctan(np.linalg.norm(slope_xy * pixel_mm)))
    return shifts_xy, f"gantry tilt of {degrees:.{1 if degrees >= 1 else 2}f}° corrected, resampled"


def _resampled(
    image: sitk.Image, stack: Stack, grid_mm: np.ndarray, shifts_xy: np.ndarray, is_labels: bool
) -> sitk.Image:
    before_xy, behind_xy = margins(shifts_xy)
    size_xy = np.array(image.GetSize()[:2]) + before_xy + behind_xy
    result = sitk.Image([*size_xy.tolist(), len(grid_mm)], image.GetPixelID())
    voxels_zyx, resample = sitk.GetArrayViewFromImage(image), nearest_slices if is_labels else upright_slices
    # Pasted slice by slice: an array of all would be a second copy of the result.
    for number, slice_yx in enumerate(resample(voxels_zyx, stack.heights_mm, shifts_xy, grid_mm)):
        result[:, :, number] = sitk.GetImageFromArray(slice_yx)
    return _placed(result, stack, grid_mm, before_xy)


def _placed(image: sitk.Image, stack: Stack, grid_mm: np.ndarray, before_xy: np.ndarray) -> sitk.Image:
    """The image on the stack's grid, which begins `before_xy` pixels before the first slice's first one."""
    first, axes = stack.slices[0], stack.axes
    start_mm = np.array([*(-before_xy * first.spacing_mm_xy), grid_mm[0]])
    image.SetOrigin((first.position_mm + start_mm @ axes).tolist())
    image.SetSpacing((*first.spacing_mm_xy, float(grid_mm[-1] - grid_mm[0]) / (len(grid_mm) - 1)))
    image.SetDirection(axes.T.ravel().tolist())
    return image
