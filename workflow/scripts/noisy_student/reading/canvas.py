"""An empty label map that segments are drawn into, slice by slice, and brought onto the scan's grid.

Of a DICOM series these are the slices as they were acquired: what was drawn on them goes the way that the CT's slices
went, to the nearest neighbour instead of between neighbours.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from noisy_student.geometry import Geometry, canonical_array
from noisy_student.reading.dicom.upright import nearest_slices
from noisy_student.reading.slices import Acquired, Slices
from noisy_student.reading.volume import Volume

# The cosine of the angle by which parallel slices may differ.
PARALLEL = 0.9998


@dataclass(frozen=True, eq=False)
class Canvas:
    """`voxels` (n, rows, columns) where `slices` lie; `on_scan` gives what was drawn on the scan's grid (z, y, x)."""

    slices: Slices
    voxels: np.ndarray
    on_scan: Callable[[], np.ndarray]

    def along(self, axes: np.ndarray) -> "Canvas":
        """The same canvas, its columns and rows running along the nearest of the given ones (a row each)."""
        turned = self
        if abs(axes[0] @ self.slices.axes[0]) < abs(axes[0] @ self.slices.axes[1]):
            turned = replace(self, slices=self.slices.swapped(), voxels=self.voxels.transpose(0, 2, 1))
        for axis in range(2):
            if axes[axis] @ turned.slices.axes[axis] < 0:
                voxels = np.flip(turned.voxels, 2 - axis)
                turned = replace(turned, slices=turned.slices.turned_round(axis), voxels=voxels)
        return turned


def canvases(scan: Volume, normal: np.ndarray, kind: np.dtype) -> Iterator[Canvas]:
    """What segments in slices of this normal may be drawn on: the slices as acquired, then those of the scan's grid."""
    if scan.acquired and abs(scan.acquired.slices.axes[2] @ normal) > PARALLEL:
        yield _of_acquired(scan.acquired, scan.letters, kind)
    yield _of_grid(scan.geometry, normal, kind)


def _of_acquired(acquired: Acquired, letters: str, kind: np.dtype) -> Canvas:
    slices = acquired.slices
    voxels = np.zeros((len(slices.positions_mm), *slices.size_xy[::-1]), kind)
    heights_mm = slices.heights_mm - slices.heights_mm[0]

    def on_scan() -> np.ndarray:
        return canonical_array(nearest_slices(voxels, heights_mm, acquired.shifts_xy, acquired.grid_mm), letters)

    return Canvas(slices, voxels, on_scan)


def _of_grid(geometry: Geometry, normal: np.ndarray, kind: np.dtype) -> Canvas:
    axis = int(np.abs(normal @ geometry.axes).argmax())
    whole = np.zeros(geometry.size_xyz[::-1], kind)
    return Canvas(Slices.of(geometry, axis), np.moveaxis(whole, 2 - axis, 0), lambda: whole)


def lay(target: np.ndarray, mask: np.ndarray, number: int) -> int:
    """Put a number where a mask is, unless a higher one is there; how many voxels had another number."""
    there = target[mask]
    target[mask] = np.maximum(there, number)
    return int(np.count_nonzero((there != 0) & (there != number)))
