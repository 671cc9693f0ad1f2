"""A random abdomen as a tissue map: organs, bones, lungs, bowel, muscle and fat.

Arrays are (z, y, x), in LPS: x grows to the patient's left, y to the back, z to the head.
"""

from dataclasses import dataclass, replace

import cc3d
import numpy as np

from noisy_student.embedded import standard_body as standard
from noisy_student.embedded.shapes import Ellipsoid, Space, Tube, smooth_noise, union
from noisy_student.embedded.surroundings import Torso, surround
from noisy_student.embedded.tissues import Tissue
from noisy_student.embedded.variation import Variation

WARP_SCALE_MM = 75.0
ROUGHNESS_SCALE_MM = 22.0
DIAPHRAGM_MM = 2.5
MAX_DEVIATIONS = 2.0


@dataclass(frozen=True)
class Build:
    """A patient's size: scales against the standard body along x, y, z, and the fat under the skin."""

    scale_xyz: tuple[float, float, float]
    fat_mm: float


def draw_build(rng: np.random.Generator, variation: Variation) -> Build:
    """A random build; the more fat, the deeper the belly."""
    fat_mm = rng.uniform(*variation.fat_mm)
    size = rng.uniform(*variation.body_scale)
    width, depth, height = size * (1 + 0.02 * rng.standard_normal(3))
    return Build((width, depth * (1 + 0.003 * (fat_mm - 15)), height), fat_mm)


def torso_of(fat_mm: float) -> Torso:
    """The standard body's abdominal wall under a layer of fat."""
    return Torso(
        standard.CAVITY_CENTRE_Y_MM,
        standard.CAVITY_HALF_WIDTH_MM,
        standard.CAVITY_HALF_DEPTH_MM,
        standard.WALL_MM,
        fat_mm,
    )


def draw_space(
    rng: np.random.Generator, axes_mm_zyx: tuple[np.ndarray, ...], build: Build, variation: Variation
) -> Space:
    """The standard body's coordinates of a scan's voxels: scaled by the build, then smoothly warped.

    The warp fades out at the spine, so that the great vessels stay beside it.
    """
    axes = tuple(
        (axis / scale).astype(np.float32) for axis, scale in zip(axes_mm_zyx, build.scale_xyz[::-1], strict=True)
    )
    straight = Space(axes, np.zeros((3, *(len(axis) for axis in axes)), np.float32))
    x, y, _ = straight.straight()
    fade = 1 - 0.8 * np.exp(-(x**2 + (y - 30) ** 2) / (2 * 35.0**2))
    warp = [variation.warp_sd_mm * fade * smooth_noise(rng, axes, WARP_SCALE_MM) for _ in range(3)]
    limit = MAX_DEVIATIONS * variation.warp_sd_mm
    return Space(axes, np.clip(np.stack(warp), -limit, limit).astype(np.float32))


def draw_tissues(rng: np.random.Generator, space: Space, build: Build, variation: Variation) -> np.ndarray:
    """A random abdomen on the grid of `space`, as `Tissue` values (uint8)."""
    torso = torso_of(build.fat_mm)
    x, y, _ = space.straight()
    lowering = rng.normal(0, variation.shift_sd_mm, 2).clip(-8, 8)
    dome = standard.dome_mm(x, y) + np.where(x < 0, *lowering).astype(np.float32)
    organs = draw_organs(rng, space, torso, dome, variation)
    return surround(rng, space, torso, organs, dome)


def draw_organs(
    rng: np.random.Generator, space: Space, torso: Torso, dome_mm: np.ndarray, variation: Variation
) -> np.ndarray:
    """Organs alone (uint8 label map), each one piece and inside the abdominal wall, under the diaphragm's `dome_mm`."""
    rough = smooth_noise(rng, space.axes_zyx, ROUGHNESS_SCALE_MM)
    x, y, z = space.straight()
    inside = (torso.cavity(space) < -1) & ~torso.spine(space)
    abdomen = inside & (z < dome_mm - DIAPHRAGM_MM)
    shifts = _draw_shifts(rng, variation)
    organs = np.zeros(space.shape, np.uint8)
    free = np.ones(space.shape, bool)
    for shape in standard.ORGANS:
        field = _draw_field(rng, space, shape, shifts[shape.moves_with], variation) + shape.rough_mm * rough
        room = inside if shape.organ in (Tissue.AORTA, Tissue.IVC, Tissue.ESOPHAGUS) else abdomen
        here = (field < 0) & free & room
        if shape.organ == Tissue.LIVER:
            here &= (z > standard.liver_edge_mm(x) + 4 * rough) & (y < standard.liver_back_mm(x) + 3 * rough)
        organs[largest_piece(here)] = shape.organ
        free &= field > shape.gap_mm
    return organs


def _draw_shifts(rng: np.random.Generator, variation: Variation) -> dict[str, np.ndarray]:
    names = dict.fromkeys(shape.moves_with for shape in standard.ORGANS)
    return {name: _bounded(rng, 3) * variation.shift_sd_mm * (0.2 if name == "spine" else 1) for name in names}


def _bounded(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.standard_normal(count).clip(-MAX_DEVIATIONS, MAX_DEVIATIONS)


def _draw_field(
    rng: np.random.Generator,
    space: Space,
    shape: standard.OrganShape,
    shift_mm: np.ndarray,
    variation: Variation,
) -> np.ndarray:
    scale = float(np.exp(variation.size_sd * shape.size_varies * _bounded(rng, 1)[0]))
    turn_deg = variation.turn_sd_deg * _bounded(rng, 3)
    vessel = shape.moves_with == "spine"

    def moved(part: standard.Part) -> standard.Part:
        if isinstance(part, Tube):
            return _moved_tube(part, shift_mm, scale, 0 if vessel else 0.3 * variation.shift_sd_mm, rng)
        return _moved_ellipsoid(part, shift_mm, scale, turn_deg)

    field = union([moved(part).field(space) for part in shape.parts])
    holes = [moved(part).field(space) for part in shape.holes]
    return np.maximum(field, -union(holes)) if holes else field


def _moved_tube(tube: Tube, shift_mm: np.ndarray, scale: float, wobble_mm: float, rng: np.random.Generator) -> Tube:
    wobble = wobble_mm * _bounded(rng, 3 * len(tube.points)).reshape(-1, 3)
    points = [
        (*(np.array(point[:3]) + shift_mm + move), point[3] * scale)
        for point, move in zip(tube.points, wobble, strict=True)
    ]
    return Tube(tuple(points))


def _moved_ellipsoid(part: Ellipsoid, shift_mm: np.ndarray, scale: float, turn_deg: np.ndarray) -> Ellipsoid:
    return replace(
        part,
        centre=tuple(np.array(part.centre) + shift_mm),
        semi_axes=tuple(np.array(part.semi_axes) * scale),
        turn_deg=tuple(np.array(part.turn_deg) + turn_deg),
    )


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """The largest connected component (faces, edges, corners) of a mask; the mask itself if it is empty."""
    if not mask.any():
        return mask
    return cc3d.largest_k(mask, k=1, connectivity=26).astype(bool)
