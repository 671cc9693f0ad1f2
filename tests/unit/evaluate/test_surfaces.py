"""Surfaces found for all organs at once are those of the surface-distance package for each organ alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import ndimage
from surface_distance import lookup_tables

from noisy_student.evaluate.surfaces import area_table, mixed_corners, organ_surface
from strategies import label_maps, spacings_mm


def package_codes(mask_xyz):
    """The package's neighbourhood codes of a whole volume, one corner more than voxels along each axis."""
    padded = np.pad(mask_xyz.astype(np.uint8), ((0, 1),) * 3)
    return ndimage.correlate(padded, lookup_tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL, mode="constant", cval=0)


@settings(deadline=None, max_examples=150)
@given(label_maps(), spacings_mm)
def test_every_organ_has_the_packages_surface(label_map_zyx, spacing_mm):
    corners, areas = mixed_corners(label_map_zyx), area_table(spacing_mm)
    for label in range(1, 14):
        codes = package_codes((label_map_zyx == label).T)
        expected = np.argwhere((codes != 0) & (codes != 255))
        surface = organ_surface(corners, label, areas)
        order = np.lexsort(surface.index_xyz.T[::-1])
        np.testing.assert_array_equal(surface.index_xyz[order], expected)
        np.testing.assert_array_equal(surface.area_mm2[order], areas[codes[tuple(expected.T)]])


def test_an_empty_map_has_no_corners():
    assert len(mixed_corners(np.zeros((3, 4, 5), np.uint8)).place) == 0


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 4)])
def test_a_volume_full_of_one_organ_has_its_hull(shape):
    surface = organ_surface(mixed_corners(np.ones(shape, np.uint8)), 1, area_table((1.0, 1.0, 1.0)))
    outer, inner = np.prod(np.add(shape, 1)), np.prod(np.subtract(shape, 1))
    assert len(surface.index_xyz) == outer - inner


def test_fragments_far_apart_are_found_once_each():
    array = np.zeros((5, 5, 5), np.uint8)
    array[0, 0, 0] = array[-1, -1, -1] = 9
    surface = organ_surface(mixed_corners(array), 9, area_table((1.0, 1.0, 1.0)))
    assert len(surface.index_xyz) == 16
