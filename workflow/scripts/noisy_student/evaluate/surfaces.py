"""The surfaces of all organs of a label map, found in one pass.

As in the surface-distance package (https://github.com/google-deepmind/surface-distance), a surface element sits at
a corner between 2×2×2 voxels of which some but not all belong to the organ; beyond the volume there is background.
"""

from dataclasses import dataclass

import numpy as np
from surface_distance import lookup_tables

# A corner's labels are marked by their last four binary digits, which is exact below 16 and quick above.
BITS = 16


@dataclass
class Corners:
    """The corners whose eight voxels are not all alike.

    `place` (n,): ascending indices into the flattened corner grid, (z, y, x) and one larger than the voxel grid along
    each axis; 0 is the corner before the first voxel. `voxels` (8, n): the labels around, in the order of the bits
    of surface-distance's neighbourhood code, highest first: x slowest, z fastest. `present` (n,): bit i is set where a
    label that leaves i when divided by 16 is among the eight.
    """

    place: np.ndarray
    voxels: np.ndarray
    present: np.ndarray
    grid_zyx: tuple[int, int, int]


def mixed_corners(label_map_zyx: np.ndarray) -> Corners:
    """All corners between unlike voxels of a uint8 label map."""
    depth, height, width = label_map_zyx.shape
    below, above = np.zeros((2, height + 2, width + 2), np.uint8)
    below_mixed = np.zeros((height + 1, width + 1), bool)
    places, voxels = [], []
    for z in range(depth + 1):
        above[1:-1, 1:-1] = label_map_zyx[z] if z < depth else 0
        above_mixed = _mixed_squares(above)
        place = np.flatnonzero(below_mixed | above_mixed | (below[1:, 1:] != above[1:, 1:]))
        places.append(place + z * below_mixed.size)
        voxels.append(_voxels_around(place, below, above))
        below, above, below_mixed = above, below, above_mixed
    around = np.concatenate(voxels, axis=1)
    present = np.bitwise_or.reduce(np.left_shift(np.uint16(1), around % BITS, dtype=np.uint16), axis=0)
    return Corners(np.concatenate(places), around, present, (depth + 1, height + 1, width + 1))


def _mixed_squares(plane: np.ndarray) -> np.ndarray:
    """Which 2×2 squares of the plane are not of one label: three of the four edges decide."""
    along_x, along_y = plane[:, :-1] != plane[:, 1:], plane[:-1] != plane[1:]
    return along_x[:-1] | along_x[1:] | along_y[:, :-1]


def _voxels_around(place: np.ndarray, below: np.ndarray, above: np.ndarray) -> np.ndarray:
    """The labels (8, n) around corners of one plane, between two slices that have a margin of one voxel."""
    width = below.shape[1]
    first = place + place // (width - 1)
    return np.stack(
        [plane.ravel()[first + (y * width + x)] for x in (0, 1) for y in (0, 1) for plane in (below, above)]
    )


@dataclass
class Surface:
    """One organ's surface elements: place on the flattened corner grid, the same as index (n, 3) in stored (x, y, z)
    order, and area in mm²."""

    place: np.ndarray
    index_xyz: np.ndarray
    area_mm2: np.ndarray


def area_table(spacing_mm_xyz: tuple[float, ...]) -> np.ndarray:
    """The area in mm² of each of the 256 neighbourhood codes, from surface-distance."""
    return lookup_tables.create_table_neighbour_code_to_surface_area(spacing_mm_xyz)


def organ_surface(corners: Corners, label: int, code_area_mm2: np.ndarray) -> Surface:
    """The surface of one label; empty if the label map has no such voxel."""
    rows = np.flatnonzero(corners.present & (1 << label % BITS))
    codes = np.packbits(corners.voxels[:, rows] == label, axis=0)[0]
    rows, codes = rows[codes > 0], codes[codes > 0]
    place = corners.place[rows]
    z, y, x = np.unravel_index(place, corners.grid_zyx)
    return Surface(place, np.stack([x, y, z], axis=1), code_area_mm2[codes])
