"""Where slices lie in the patient, evenly and upright on each other or not.

Points and positions are (n, 3) in mm, x to the patient's left, y to the back, z to the head.
"""

from dataclasses import dataclass, replace

import numpy as np

from noisy_student.geometry import Geometry


@dataclass(frozen=True, eq=False)
class Slices:
    """Parallel slices of one size, from first to last along their normal.

    `positions_mm` (n, 3): the first pixel of each. `axes` (3, 3): along columns, along rows and the normal, a row each.
    `thickness_mm` matters where there is but one slice.
    """

    positions_mm: np.ndarray
    axes: np.ndarray
    spacing_mm_xy: tuple[float, float]
    size_xy: tuple[int, int]
    thickness_mm: float

    @classmethod
    def of(cls, geometry: Geometry, axis: int) -> "Slices":
        """The slices of a grid across its axis 0 (x), 1 (y) or 2 (z)."""
        across = [number for number in range(3) if number != axis]
        index = np.zeros((geometry.size_xyz[axis], 3))
        index[:, axis] = np.arange(len(index))
        spacing, size = (
            [values[number] for number in across] for values in (geometry.spacing_mm_xyz, geometry.size_xyz)
        )
        axes = geometry.axes.T[[*across, axis]]
        return cls(geometry.places_mm(index), axes, tuple(spacing), tuple(size), geometry.spacing_mm_xyz[axis])

    @property
    def heights_mm(self) -> np.ndarray:
        """Of each slice along the normal."""
        return self.positions_mm @ self.axes[2]

    def numbers_at(self, points_mm: np.ndarray) -> np.ndarray:
        """The slice at each point: 2.5 is halfway between slices 2 and 3; -1 or n is any place beyond the ends."""
        heights_mm = self.heights_mm
        gaps_mm = np.diff(heights_mm) if len(heights_mm) > 1 else np.array([self.thickness_mm])
        known_mm = [heights_mm[0] - gaps_mm[0], *heights_mm, heights_mm[-1] + gaps_mm[-1]]
        return np.interp(points_mm @ self.axes[2], known_mm, np.arange(-1, len(heights_mm) + 1))

    def pixels_at(self, points_mm: np.ndarray, numbers: np.ndarray | int) -> np.ndarray:
        """Column and row (n, 2) of points in the slices of these numbers; a pixel's centre is a whole number."""
        return (points_mm - self.positions_mm[numbers]) @ self.axes[:2].T / self.spacing_mm_xy

    def swapped(self) -> "Slices":
        """The same with rows as columns."""
        return replace(
            self, axes=self.axes[[1, 0, 2]], spacing_mm_xy=self.spacing_mm_xy[::-1], size_xy=self.size_xy[::-1]
        )

    def turned_round(self, axis: int) -> "Slices":
        """The same, counted from the last column (0) or row (1)."""
        width_mm = (self.size_xy[axis] - 1) * self.spacing_mm_xy[axis]
        signs = np.where(np.arange(3) == axis, -1, 1)[:, None]
        return replace(self, positions_mm=self.positions_mm + width_mm * self.axes[axis], axes=self.axes * signs)


@dataclass(frozen=True, eq=False)
class Acquired:
    """The slices of a DICOM series as they were acquired, and how they came onto an upright, even grid.

    `shifts_xy` (n, 2): by how many pixels each was shifted; `grid_mm`: heights of the grid's slices above the first.
    `images`: of each slice its file's SOP instance UID and its frame, from 1. UIDs are compared and never told.
    """

    slices: Slices
    shifts_xy: np.ndarray
    grid_mm: np.ndarray
    frame_of_reference: str = ""
    series: str = ""
    images: tuple[tuple[str, int], ...] = ()
