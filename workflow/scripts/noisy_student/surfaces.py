"""The surfaces of all organs of a label map, found in one pass.

As in the surface-distance package (https://github.com/google-deepmind/surface-distance), a surface element sits at
a corner between 2×2×2 voxels of which some but not all belong to the organ; beyond the volume there is background.
"""

from dataclasses import dataclass

import numpy as np
from surface_distance import lookup_tables


@dataclass
class Corners:
    """The corners whose eight voxels are not all alike.

    `index_xyz` (n, 3): 0 is the corner before the first voxel. `voxels` (n, 8): the labels around, ordered as the
    bits of surface-distance's neighbourhood code, highest first: x slowest, z fastest. `present` (n,): bit i is set
    where label i is among the eight.
    """

    index_xyz: np.ndarray
    voxels: np.ndarray
    present: np.ndarray


def mixed_corners(label_map_zyx: np.ndarray) -> Corners:
    """All corners between unlike voxels of a uint8 label map with labels below 16, in ascending (z, y, x)."""
    depth, height, width = label_map_zyx.shape
    below, above = np.zeros((2, height + 2, width + 2), np.uint8)
    below_mixed = np.zeros((height + 1, width + 1), bool)
    indices, voxels = [], []
    for z in range(depth + 1):
        above[1:-1, 1:-1] = label_map_zyx[z] if z < depth else 0
        above_mixed = _mixed_squares(above)
        y, x = np.nonzero(below_mixed | above_mixed | (below[1:, 1:] != above[1:, 1:]))
        indices.append(np.stack([x, y, np.full_like(x, z)], axis=1).astype(np.int32))
        voxels.append(np.stack([plane[y + j, x + i] for i in (0, 1) for j in (0, 1) for plane in (below, above)], 1))
        below, above, below_mixed = above, below, above_mixed
    around = np.concatenate(voxels)
    present = np.bitwise_or.reduce(np.left_shift(np.uint16(1), around, dtype=np.uint16), axis=1)
    return Corners(np.concatenate(indices), around, present)


def _mixed_squares(plane: np.ndarray) -> np.ndarray:
    """Which 2×2 squares of the plane are not of one label: three of the four edges decide."""
    along_x, along_y = plane[:, :-1] != plane[:, 1:], plane[:-1] != plane[1:]
    return along_x[:-1] | along_x[1:] | along_y[:, :-1]


@dataclass
class Surface:
    """One organ's surface elements: corner indices (n, 3) in stored (x, y, z) order and areas in mm²."""

    index_xyz: np.ndarray
    area_mm2: np.ndarray


def area_table(spacing_mm_xyz: tuple[float, ...]) -> np.ndarray:
    """The area in mm² of each of the 256 neighbourhood codes, from surface-distance."""
    return lookup_tables.create_table_neighbour_code_to_surface_area(spacing_mm_xyz)


def organ_surface(corners: Corners, label: int, code_area_mm2: np.ndarray) -> Surface:
    """The surface of one label; empty if the label map has no such voxel."""
    rows = np.flatnonzero(corners.present & (1 << label))
    codes = np.packbits(corners.voxels[rows] == label, axis=1)[:, 0]
    return Surface(corners.index_xyz[rows], code_area_mm2[codes])
