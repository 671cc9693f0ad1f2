"""Polygons are filled by their vertices as they are, centres on a contour included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noisy_student.reading.dicom.contours import filled

SIZE_XY = (12, 9)


def mask_of(*contours, size_xy=SIZE_XY):
    return filled((np.array(contour, float) for contour in contours), size_xy)


def square(low, high):
    return [(low, low), (high, low), (high, high), (low, high)]


def test_centres_on_the_contour_are_inside_and_those_beside_it_are_not():
    for low, high, shape in ((2, 5, slice(2, 6)), (1.995, 5.005, slice(2, 6)), (2.02, 4.98, slice(3, 5)),
                             (1.5, 5.5, slice(2, 6)), (2.49, 4.51, slice(3, 5))):  # fmt: skip
        wanted = np.zeros(SIZE_XY[::-1], bool)
        wanted[shape, shape] = True
        assert np.array_equal(mask_of(square(low, high)), wanted), (low, high)


def test_a_ball_of_six_millimetres_has_its_own_area():
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.stack([5.3 + 3.01 * np.cos(angles), 4.6 + 3.01 * np.sin(angles)], axis=1)
    y, x = np.mgrid[: SIZE_XY[1], : SIZE_XY[0]]
    assert np.array_equal(mask_of(circle), (x - 5.3) ** 2 + (y - 4.6) ** 2 < 3.01**2)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_holes_nested_and_by_a_keyhole(is_reversed):
    hole = square(3.5, 5.5)[::-1] if is_reversed else square(3.5, 5.5)
    wanted = np.zeros(SIZE_XY[::-1], bool)
    wanted[1:8, 1:8] = True
    wanted[4:6, 4:6] = False
    assert np.array_equal(mask_of(square(0.5, 7.5), hole), wanted)
    keyhole = [(0.5, 0.5), (7.5, 0.5), (7.5, 7.5), (0.5, 7.5), (0.5, 4.3), (3.5, 4.3), (3.5, 5.5), (5.5, 5.5),
               (5.5, 3.5), (3.5, 3.5), (3.5, 4.3), (0.5, 4.3)]  # fmt: skip
    assert np.array_equal(mask_of(keyhole[::-1] if is_reversed else keyhole), wanted)


def test_a_hole_s_contour_through_the_pixels_beside_it_leaves_them_to_the_organ():
    """As OpenCV's findContours draws them, so rt-utils."""
    ring = [(5, 5), (5, 25), (25, 25), (25, 5)]
    hole = [(9, 10), (10, 9), (20, 9), (21, 10), (21, 20), (20, 21), (10, 21), (9, 20)]
    wanted = np.zeros((32, 32), bool)
    wanted[5:26, 5:26] = True
    wanted[10:21, 10:21] = False
    assert np.array_equal(mask_of(ring, hole, size_xy=(32, 32)), wanted)
    pixel = [(14, 15), (15, 14), (16, 15), (15, 16)]
    wanted[15, 15] = True
    assert np.array_equal(mask_of(ring, hole, [(15, 15)], size_xy=(32, 32)), wanted)
    whole = np.ones((32, 32), bool)
    whole[15, 15] = False
    assert np.array_equal(mask_of([(0, 0), (0, 31), (31, 31), (31, 0)], pixel, size_xy=(32, 32)), whole)


def test_what_reaches_beyond_the_slice_is_cut_off():
    whole = mask_of([(-4, -3), (20, -3), (20, 4.5), (-4, 4.5)])
    assert whole[:5].all() and not whole[5:].any()
    assert not mask_of([(-9, -9), (-5, -9), (-5, -5)]).any() and not mask_of([(30, 30), (31, 30), (31, 31)]).any()


def test_a_point_and_a_line_touch_what_they_lie_on():
    assert np.argwhere(mask_of([(3, 2)])).tolist() == [[2, 3]]
    assert np.argwhere(mask_of([(3, 2), (6, 2)])).tolist() == [[2, 3], [2, 4], [2, 5], [2, 6]]
    assert np.argwhere(mask_of([(2, 2), (4, 4)])).tolist() == [[2, 2], [3, 3], [4, 4]]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-3, 15), st.floats(-3, 12)), min_size=3, max_size=8))
def test_as_counted_one_by_one_away_from_the_contour(vertices):
    contour = np.array(vertices)
    y, x = np.mgrid[: SIZE_XY[1], : SIZE_XY[0]]
    centres = np.stack([x.ravel(), y.ravel()], axis=1)
    start, step = contour, np.roll(contour, -1, axis=0) - contour
    along = ((centres[:, None] - start) * step).sum(axis=2) / np.maximum((step**2).sum(axis=1), 1e-12)
    nearest = start + np.clip(along, 0, 1)[..., None] * step
    is_clear = (np.linalg.norm(nearest - centres[:, None], axis=2) > 0.03).all(axis=1)
    crossed = np.zeros(len(centres), int)
    for (x0, y0), (x1, y1) in zip(contour, np.roll(contour, -1, axis=0), strict=True):
        spans = (y0 <= centres[:, 1]) != (y1 <= centres[:, 1])
        at = x0 + (centres[:, 1] - y0) * (x1 - x0) / (y1 - y0 if y1 != y0 else np.inf)
        crossed += spans & (at > centres[:, 0])
    assert np.array_equal(mask_of(contour).ravel()[is_clear], crossed[is_clear] % 2 == 1)
