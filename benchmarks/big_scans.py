"""CT-like scans of a hospital's size with their label maps: the embedded generator's anatomy on a finer grid."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.embedded.phantom import make_phantom
from noisy_student.embedded.variation import NARROW
from noisy_student.geometry import CANONICAL_ORIENTATION, reorient
from noisy_student.images import write_image

IN_PLANE_VOXELS, IN_PLANE_MM = 512, 0.78
AIR_HU, NOISE_HU = -1000, 12


def write_scan(number: int, slices: int, slice_mm: float, image: Path, label_map: Path) -> None:
    """Write scan `number` and its label map: 512 × 512 voxels of 0.78 mm, the body as long as the scan."""
    rng = np.random.default_rng(number)
    phantom = make_phantom(rng, NARROW)
    grid = _grid(slices, slice_mm)
    scan = sitk.GetArrayFromImage(_resampled(phantom.scan, grid, sitk.sitkLinear, AIR_HU)).astype(np.float32)
    for plane in scan:
        plane += rng.normal(0, NOISE_HU, plane.shape)
    noisy = sitk.GetImageFromArray(np.clip(np.round(scan), -1024, 3000).astype(np.int16))
    noisy.CopyInformation(grid)
    write_image(noisy, image)
    write_image(_resampled(phantom.label_map, grid, sitk.sitkNearestNeighbor, 0), label_map)


def _grid(slices: int, slice_mm: float) -> sitk.Image:
    """An empty image around the origin."""
    grid = sitk.Image(IN_PLANE_VOXELS, IN_PLANE_VOXELS, slices, sitk.sitkUInt8)
    grid.SetSpacing((IN_PLANE_MM, IN_PLANE_MM, slice_mm))
    half = [size * step / 2 for size, step in zip(grid.GetSize(), grid.GetSpacing(), strict=True)]
    grid.SetOrigin([step / 2 - length for step, length in zip(grid.GetSpacing(), half, strict=True)])
    return grid


def _resampled(image: sitk.Image, grid: sitk.Image, interpolator: int, outside: float) -> sitk.Image:
    """The image, put around the origin and stretched along z to the grid's length."""
    image = reorient(image, CANONICAL_ORIENTATION)
    x, y, _ = image.GetSpacing()
    z = grid.GetSpacing()[2] * grid.GetSize()[2] / image.GetSize()[2]
    image.SetSpacing((x, y, z))
    image.SetOrigin([step / 2 - size * step / 2 for size, step in zip(image.GetSize(), (x, y, z), strict=True)])
    return sitk.Resample(image, grid, sitk.Transform(), interpolator, outside)
