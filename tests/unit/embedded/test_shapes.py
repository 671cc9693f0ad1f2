"""Shapes as fields of distance, and smooth random fields."""

import numpy as np
import pytest

from noisy_student.embedded.shapes import Ellipsoid, Space, Tube, smooth_noise, strands, union

AXES = tuple(np.arange(-40, 40, 1, np.float32) + 0.5 for _ in range(3))
STRAIGHT = Space(AXES, np.zeros((3, 80, 80, 80), np.float32))


def volume_mm3(field: np.ndarray) -> int:
    return int((field < 0).sum())


def test_an_ellipsoid_has_its_volume_and_place_however_it_is_turned():
    volume = 4 / 3 * np.pi * 20 * 12 * 8
    for turn_deg in ((0, 0, 0), (30, -20, 70)):
        field = Ellipsoid((5, -3, 2), (20, 12, 8), turn_deg).field(STRAIGHT)
        assert volume_mm3(field) == pytest.approx(volume, rel=0.02)
        z, y, x = (AXES[0][at].mean() for at in np.nonzero(field < 0))
        assert (x, y, z) == pytest.approx((5, -3, 2), abs=0.2)


def test_an_ellipsoids_first_axis_is_left_right():
    z, y, x = (np.ptp(at) for at in np.nonzero(Ellipsoid((0, 0, 0), (20, 12, 8)).field(STRAIGHT) < 0))
    assert (x, y, z) == pytest.approx((39, 23, 15), abs=1)


def test_a_straight_tube_is_a_cylinder_with_round_ends():
    field = Tube(((-20, 0, 0, 6), (20, 0, 0, 6))).field(STRAIGHT)
    assert volume_mm3(field) == pytest.approx(np.pi * 36 * 40 + 4 / 3 * np.pi * 216, rel=0.06)


def test_a_curved_tube_passes_through_its_points():
    points = ((-20, -10, 0, 5), (0, 15, 10, 6), (20, -5, -10, 4))
    field = Tube(points).field(STRAIGHT)
    for x, y, z, _ in points:
        assert field[round(z + 39.5), round(y + 39.5), round(x + 39.5)] < 0


def test_a_warp_moves_shapes_against_it():
    warp = np.zeros((3, 80, 80, 80), np.float32)
    warp[2] = 7
    field = Ellipsoid((0, 0, 0), (10, 10, 10)).field(Space(AXES, warp))
    assert AXES[2][np.nonzero(field < 0)[2]].mean() == pytest.approx(-7, abs=0.2)


def test_a_union_holds_its_parts_and_rounds_the_seam():
    left, right = (Ellipsoid((x, 0, 0), (12, 12, 12)).field(STRAIGHT) for x in (-10, 10))
    both = union([left, right])
    assert (both <= np.minimum(left, right)).all()
    assert volume_mm3(both) > volume_mm3(np.minimum(left, right))


def test_smooth_noise_is_standard_and_smooth_and_comes_from_its_generator():
    first, again, other = (smooth_noise(np.random.default_rng(seed), AXES, 8.0) for seed in (0, 0, 1))
    assert first.shape == (80, 80, 80)
    assert first.std() == pytest.approx(1, abs=0.15) and abs(first.mean()) < 0.15
    assert np.abs(np.diff(first, axis=2)).max() < 1
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_strands_are_thin_and_grow_with_their_width():
    thin, thick = (strands(np.random.default_rng(0), AXES, 15.0, width).mean() for width in (0.1, 0.3))
    assert 0 < thin < thick < 0.1
