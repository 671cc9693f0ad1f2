"""Smooth shapes on a grid, as fields of signed distance in mm: negative inside, exact near the surface only."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

FAR_MM = np.float32(1e3)
TUBE_STEP_MM = 4.0


@dataclass(frozen=True)
class Space:
    """Where each voxel lies in a body, in mm: x grows to the left, y to the back, z to the head.

    `axes_zyx` are the straight 1-D axes; `warp_zyx` (3, z, y, x) is what a smooth deformation adds to them.
    """

    axes_zyx: tuple[np.ndarray, np.ndarray, np.ndarray]
    warp_zyx: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along z, y, x."""
        return self.warp_zyx.shape[1:]

    @cached_property
    def reach_mm(self) -> float:
        """The warp's largest displacement along any axis."""
        return float(np.abs(self.warp_zyx).max(initial=0))

    def straight(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, y, z without the warp, each ready to broadcast over (z, y, x)."""
        z, y, x = self.axes_zyx
        return x[None, None, :], y[None, :, None], z[:, None, None]

    def box(self, low_xyz: np.ndarray, high_xyz: np.ndarray) -> tuple[slice, ...]:
        """The (z, y, x) slices that hold every voxel whose warped position lies between two corners."""
        reach = self.reach_mm
        corners = zip(self.axes_zyx, low_xyz[::-1], high_xyz[::-1], strict=True)
        return tuple(slice(*np.searchsorted(axis, (low - reach, high + reach))) for axis, low, high in corners)

    def warped(self, box: tuple[slice, ...]) -> list[np.ndarray]:
        """x, y, z of the voxels in a box, each (z, y, x), after the warp."""
        z, y, x = (axis[part] for axis, part in zip(self.axes_zyx, box, strict=True))
        straight = (z[:, None, None], y[None, :, None], x[None, None, :])
        return [axis + warp[box] for axis, warp in zip(straight, self.warp_zyx, strict=True)][::-1]


@dataclass(frozen=True)
class Ellipsoid:
    """Centre and semi-axes in mm, turned by Euler angles about x, y, z."""

    centre: tuple[float, float, float]
    semi_axes: tuple[float, float, float]
    turn_deg: tuple[float, float, float] = (0, 0, 0)

    def field(self, space: Space) -> np.ndarray:
        """Distance to the surface, (z, y, x); `FAR_MM` at a distance."""
        centre, semi_axes = np.array(self.centre), np.array(self.semi_axes)
        reach = semi_axes.max() * 1.2 + 8
        box = space.box(centre - reach, centre + reach)
        relative = [axis - middle for axis, middle in zip(space.warped(box), self.centre, strict=True)]
        rows = (Rotation.from_euler("xyz", self.turn_deg, degrees=True).as_matrix().T / semi_axes[:, None]).astype("f4")
        radius = np.sqrt(sum(sum(row[i] * relative[i] for i in range(3)) ** 2 for row in rows))
        return _placed(space, box, (radius - 1) * semi_axes.min())


@dataclass(frozen=True)
class Tube:
    """A smooth curve through points (x, y, z, radius), in mm."""

    points: tuple[tuple[float, float, float, float], ...]

    def samples(self) -> np.ndarray:
        """(n, 4) points along the curve, at most `TUBE_STEP_MM` apart."""
        points = np.array(self.points, float)
        along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points[:, :3], axis=0), axis=1))])
        count = max(2, int(np.ceil(along[-1] / TUBE_STEP_MM)) + 1)
        return CubicSpline(along, points, bc_type="natural")(np.linspace(0, along[-1], count))

    def field(self, space: Space) -> np.ndarray:
        """Distance to the surface, (z, y, x); `FAR_MM` at a distance."""
        field = np.full(space.shape, FAR_MM)
        for *centre, radius in self.samples():
            reach = radius + 8
            box = space.box(np.array(centre) - reach, np.array(centre) + reach)
            x, y, z = (axis - np.float32(middle) for axis, middle in zip(space.warped(box), centre, strict=True))
            field[box] = np.minimum(field[box], np.sqrt(x * x + y * y + z * z) - np.float32(radius))
        return field


def _placed(space: Space, box: tuple[slice, ...], inside: np.ndarray) -> np.ndarray:
    field = np.full(space.shape, FAR_MM)
    field[box] = inside
    return field


def union(fields: list[np.ndarray], blend_mm: float = 6.0) -> np.ndarray:
    """The shapes together, their seams rounded over `blend_mm` (polynomial smooth minimum)."""
    total = fields[0]
    for field in fields[1:]:
        overlap = np.clip(blend_mm - np.abs(total - field), 0, None)
        total = np.minimum(total, field) - overlap**2 / (4 * blend_mm)
    return total


def smooth_noise(rng: np.random.Generator, axes_zyx: tuple[np.ndarray, ...], scale_mm: float) -> np.ndarray:
    """A random field over the grid, (z, y, x) float32, of mean 0 and variance 1, that varies over `scale_mm`.

    Random knots, interpolated by normalised Gaussians along one axis after the other.
    """
    weights = [_knot_weights(axis, scale_mm) for axis in axes_zyx]
    field = rng.standard_normal([weight.shape[1] for weight in weights]).astype(np.float32)
    for weight in weights:
        field = np.tensordot(field, weight, axes=(0, 1))
    return field


def _knot_weights(axis: np.ndarray, scale_mm: float) -> np.ndarray:
    knots = np.arange(axis[0] - 2 * scale_mm, axis[-1] + 2 * scale_mm, scale_mm)
    weights = np.exp(-0.5 * ((axis[:, None] - knots) / (0.6 * scale_mm)) ** 2)
    return (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)


def strands(rng: np.random.Generator, axes_mm_zyx: tuple[np.ndarray, ...], scale_mm: float, width: float) -> np.ndarray:
    """A random net of curved strands (bool, z, y, x): where two smooth random fields cross zero together."""
    first, second = (smooth_noise(rng, axes_mm_zyx, scale_mm) for _ in range(2))
    return first**2 + second**2 < width**2
