"""A scan and its mask brought onto another grid, as nnU-Net's preprocessing does, at a fraction of its memory and time.

nnU-Net calls skimage's `resize`, which interpolates the whole volume in float64 with cubic B-splines: several copies,
64 voxels for each new one. The interpolation is linear and one axis after the other, so along each axis it is the
product with a small matrix, of which only a band counts. Sums are taken in another order, which is less than the last
digit of float32.
"""

from collections.abc import Callable, Sequence

import numpy as np
from nnunetv2.preprocessing.resampling.default_resampling import determine_do_sep_z_and_axis
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager
from scipy.ndimage import zoom
from threadpoolctl import threadpool_limits

from noisy_student.plan.label_resampling import resample_labels

CUBIC = 3
LEAST_WEIGHT, ROWS_OF_A_BAND = 1e-15, 64
DEFAULT = "resample_data_or_seg_to_shape", {"is_seg": False, "order": CUBIC, "order_z": 0, "force_separate_z": None}

Spacing = Sequence[float]
# Of a matrix some rows, and of these the columns that count, with what stands there.
Bands = list[tuple[slice, slice, np.ndarray]]
Resampling = Callable[[np.ndarray, Sequence[int], Spacing, Spacing], np.ndarray]


class LeanConfiguration(ConfigurationManager):
    """nnU-Net's view of a configuration of the project's plans, with the resampling of this module."""

    @property
    def resampling_fn_data(self) -> Resampling:
        """How images are resampled."""
        return resample_image

    @property
    def resampling_fn_seg(self) -> Resampling:
        """How masks are resampled."""
        return resample_mask


def lean_if_default(configuration: ConfigurationManager) -> ConfigurationManager:
    """The same for plans from elsewhere, unless they resample in another way than nnU-Net does by default."""
    return LeanConfiguration(configuration.configuration) if resamples_by_default(configuration) else configuration


def resamples_by_default(configuration: ConfigurationManager) -> bool:
    """Whether scans are resampled as nnU-Net does by default."""
    values = configuration.configuration
    is_default = all(values[name] == DEFAULT[0] for name in ("resampling_fn_data", "resampling_fn_seg"))
    return is_default and values["resampling_fn_data_kwargs"] == DEFAULT[1]


def resample_image(
    image: np.ndarray, shape_zyx: Sequence[int], spacing_mm_zyx: Spacing, new_spacing_mm_zyx: Spacing
) -> np.ndarray:
    """An image (1, z, y, x) on a grid of `shape_zyx`.

    On strongly anisotropic grids each new slice along the coarse axis is the nearest old one, resampled in its plane.
    """
    if image.shape[1:] == tuple(shape_zyx):
        return image
    _, apart = determine_do_sep_z_and_axis(None, spacing_mm_zyx, new_spacing_mm_zyx)
    result = np.empty((1, *shape_zyx), image.dtype)
    # Other threads gain nothing in products as small as these, and wait for each other at full load.
    with threadpool_limits(1, "blas"):
        if apart is None:
            _resample_volume(image[0], result[0])
        else:
            _resample_slices(np.moveaxis(image[0], apart, 0), np.moveaxis(result[0], apart, 0))
    return result


def _resample_volume(source: np.ndarray, result: np.ndarray) -> None:
    """Along z first, row by row, then slice by slice; nothing outside of the source's range comes out."""
    along_z = _spline_bands(len(source), len(result))
    slices = np.empty((len(result), *source.shape[1:]))
    for row in range(source.shape[1]):
        slices[:, row] = _product(along_z, source[:, row])
    low, high = source.min(), source.max()
    along_y, along_x = (_spline_bands(*sizes) for sizes in zip(source.shape[1:], result.shape[1:], strict=True))
    for target, plane in zip(result, slices, strict=True):
        target[:] = np.clip(_in_plane(along_y, along_x, plane), low, high)


def _resample_slices(source: np.ndarray, result: np.ndarray) -> None:
    along_y, along_x = (_spline_bands(*sizes) for sizes in zip(source.shape[1:], result.shape[1:], strict=True))
    positions = (np.arange(len(result)) + 0.5) * (len(source) / len(result)) - 0.5
    nearest = np.floor(positions.clip(0, len(source) - 1) + 0.5).astype(int)
    for target, number in zip(result, nearest, strict=True):
        plane = source[number]
        target[:] = np.clip(_in_plane(along_y, along_x, plane.astype(float)), plane.min(), plane.max())


def _in_plane(along_y: Bands, along_x: Bands, plane_yx: np.ndarray) -> np.ndarray:
    return _product(along_x, _product(along_y, plane_yx).T).T


def _product(bands: Bands, values: np.ndarray) -> np.ndarray:
    """A matrix (new, old) times values (old, any)."""
    result = np.empty((bands[-1][0].stop, values.shape[1]))
    for rows, columns, weights in bands:
        np.matmul(weights, values[columns], out=result[rows])
    return result


def _spline_bands(old: int, new: int) -> Bands:
    """What interpolation along one axis multiplies its values with (new, old), as skimage's `resize` interpolates.

    Some rows at a time, with the columns from the first to the last that count in them: weights of a cubic B-spline
    become four times smaller with each voxel farther away.
    """
    matrix = (
        np.eye(old) if old == new else zoom(np.eye(old), (new / old, 1), order=CUBIC, mode="nearest", grid_mode=True)
    )
    bands = []
    for start in range(0, new, ROWS_OF_A_BAND):
        rows = slice(start, min(start + ROWS_OF_A_BAND, new))
        counting = np.flatnonzero((np.abs(matrix[rows]) > LEAST_WEIGHT).any(axis=0))
        columns = slice(counting[0], counting[-1] + 1)
        bands.append((rows, columns, np.ascontiguousarray(matrix[rows, columns])))
    return bands


def resample_mask(
    mask: np.ndarray, shape_zyx: Sequence[int], spacing_mm_zyx: Spacing, new_spacing_mm_zyx: Spacing
) -> np.ndarray:
    """The mask of the crop (1, z, y, x), int8: 0 inside, -1 outside."""
    _, apart = determine_do_sep_z_and_axis(None, spacing_mm_zyx, new_spacing_mm_zyx)
    inside = resample_labels((mask[0] + 1).astype(np.uint8), tuple(shape_zyx), apart)
    return inside[None].astype(np.int8) - np.int8(1)
