"""Slices that a tilted gantry shifted, or that lie at several distances, resampled linearly onto an upright, even grid.

A slice that lies on the grid keeps its values exactly.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from noisy_student.reading.dicom.gaps import ROUNDED_MM
from noisy_student.reading.volume import AIR_HU

# How far a slice may be from the grid and still count as on it: a share of a distance, and of a pixel.
ON_GRID, ON_PIXEL = 0.1, 0.01
# Distances that differ by no more than this share, or by what rounding of positions does, are one.
ONE_DISTANCE = 0.1


def even_heights_mm(heights_mm: np.ndarray) -> np.ndarray:
    """Heights at the finest distance, from about the first to about the last; those of the finest run are met."""
    gaps_mm = np.diff(heights_mm)
    finest_mm = gaps_mm.min()
    start, end = _longest_run(gaps_mm <= finest_mm + max(ONE_DISTANCE * finest_mm, ROUNDED_MM))
    distance_mm = (heights_mm[end] - heights_mm[start]) / (end - start)
    first, last = np.rint((heights_mm[[0, -1]] - heights_mm[start]) / distance_mm)
    return heights_mm[start] + distance_mm * np.arange(first, last + 1)


def _longest_run(flags: np.ndarray) -> tuple[int, int]:
    """Where the longest stretch of true flags starts, and where it has ended."""
    edges = np.flatnonzero(np.diff([False, *flags, False]))
    longest = int(np.argmax(edges[1::2] - edges[::2]))
    return int(edges[2 * longest]), int(edges[2 * longest + 1])


def margins(shifts_xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many pixels (x, y) wider than a slice the grid is, before and behind, so that no shifted slice is cut off."""
    return -np.floor(shifts_xy.min(axis=0)).astype(int), np.ceil(shifts_xy.max(axis=0)).astype(int)


def upright_slices(
    voxels_zyx: np.ndarray, heights_mm: np.ndarray, shifts_xy: np.ndarray, grid_mm: np.ndarray
) -> Iterator[np.ndarray]:
    """The slices (y, x) of the grid, from first to last.

    `shifts_xy`: how far each given slice is shifted, in pixels. What no slice covers is air, or the lowest value where
    that is higher.
    """
    before_xy, behind_xy = margins(shifts_xy)
    size_yx = tuple((voxels_zyx.shape[1:] + (before_xy + behind_xy)[::-1]).tolist())
    outside, is_whole = max(AIR_HU, voxels_zyx.min()), voxels_zyx.dtype.kind in "iu"

    @lru_cache(maxsize=2)
    def shifted(number: int) -> np.ndarray:
        return _shifted(voxels_zyx[number], (shifts_xy[number] + before_xy)[::-1], size_yx, outside)

    for below, share in _places(heights_mm, grid_mm):
        slice_yx = (1 - share) * shifted(below) + share * shifted(below + 1) if share else shifted(below)
        yield (np.rint(slice_yx) if is_whole else slice_yx).astype(voxels_zyx.dtype)


def nearest_slices(
    labels_zyx: np.ndarray, heights_mm: np.ndarray, shifts_xy: np.ndarray, grid_mm: np.ndarray
) -> np.ndarray:
    """The same grid of labels (z, y, x), each the nearest one; background where no slice is."""
    before_xy, behind_xy = margins(shifts_xy)
    size_yx = (labels_zyx.shape[1:] + (before_xy + behind_xy)[::-1]).tolist()
    starts_yx = np.rint(shifts_xy + before_xy).astype(int)[:, ::-1]
    found = np.zeros((len(grid_mm), *size_yx), labels_zyx.dtype)
    for target_yx, (below, share) in zip(found, _places(heights_mm, grid_mm), strict=True):
        number = below + (share >= 0.5)
        (top, left), (rows, columns) = starts_yx[number], labels_zyx.shape[1:]
        target_yx[top : top + rows, left : left + columns] = labels_zyx[number]
    return found


def _places(heights_mm: np.ndarray, grid_mm: np.ndarray) -> list[tuple[int, float]]:
    """For each height of the grid the slice at or below it, and the share of the way to the next one."""
    places = np.interp(grid_mm, heights_mm, np.arange(len(heights_mm)))
    nearest = np.rint(places).astype(int)
    is_met = np.abs(heights_mm[nearest] - grid_mm) <= ON_GRID * (grid_mm[1] - grid_mm[0])
    return [(int(place), float(place % 1)) for place in np.where(is_met, nearest, places)]


def _shifted(slice_yx: np.ndarray, shift_yx: np.ndarray, size_yx: tuple[int, ...], outside: float) -> np.ndarray:
    """A slice on a wider grid, its first pixel at `shift_yx` (pixels, not negative)."""
    start = np.floor(shift_yx + ON_PIXEL).astype(int)
    rows, columns = (slice(first, first + size) for first, size in zip(start, slice_yx.shape, strict=True))
    moved = np.full(size_yx, outside, np.float64)
    moved[rows, columns] = slice_yx
    for axis, share in enumerate(shift_yx - start):
        if share > ON_PIXEL:
            before = np.roll(moved, 1, axis)
            before[(0,) if axis == 0 else (slice(None), 0)] = outside
            moved = (1 - share) * moved + share * before
    return moved
