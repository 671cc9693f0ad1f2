"""Grids are compared by where their voxels lie, and turned without moving any."""

import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from noisy_student.geometry import (
    Geometry,
    canonical_array,
    canonical_box,
    image_on,
    orientation,
    reorient,
    turned_like,
)

SIZE, SPACING = (64, 48, 20), (0.75, 0.75, 5.0)
LETTERS = [
    "".join(axis[sign] for axis, sign in zip(axes, signs, strict=True))
    for axes in itertools.permutations(("RL", "AP", "IS"))
    for signs in itertools.product((0, 1), repeat=3)
]


def turn(degrees_xyz):
    """Direction cosines (3, 3) of a grid turned about the patient's axes."""
    matrix = np.eye(3)
    for axis, degrees in enumerate(degrees_xyz):
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        around = np.eye(3)
        one, other = [number for number in range(3) if number != axis]
        around[[one, one, other, other], [one, other, one, other]] = cosine, -sine, sine, cosine
        matrix = around @ matrix
    return matrix


def grid(size=SIZE, spacing=SPACING, origin=(-200.0, -180.0, 1234.5), degrees=(0, 0, 0)):
    return Geometry(size, spacing, origin, tuple(turn(degrees).ravel()))


def image(geometry, seed=0):
    return image_on(np.random.default_rng(seed).integers(0, 9999, geometry.size_xyz[::-1]).astype(np.int16), geometry)


@pytest.mark.parametrize(
    "other",
    [
        grid(),
        grid(origin=(-200.005, -180.005, 1234.505)),
        grid(spacing=(0.7501, 0.7501, 5.0)),
        grid(degrees=(0.03, 0, 0)),
    ],
)
def test_what_rounding_leaves_is_one_grid(other):
    assert grid().differences(other) == other.differences(grid()) == []


@pytest.mark.parametrize(
    ("other", "fields"),
    [
        (grid(size=(64, 48, 21)), ["size"]),
        (grid(origin=(-200.0, -179.9, 1234.5)), ["origin"]),
        (grid(spacing=(0.753, 0.753, 5.0)), ["spacing"]),
        (grid(degrees=(0, 0, 0.2)), ["direction"]),
        (grid(spacing=(1, 1, 1), origin=(0, 0, 0)), ["spacing", "origin"]),
        (
            grid(spacing=(0.7509, 0.7509, 5.0), origin=(-199.94, -180.0, 1234.5)),
            ["size", "spacing", "origin", "direction"],
        ),
    ],
)
def test_what_moves_a_voxel_is_named_field_by_field(other, fields):
    assert [line.split()[0] for line in grid().differences(other)] == fields


turns = st.tuples(*[st.floats(-30, 30)] * 3)
sizes = st.tuples(*[st.integers(1, 6)] * 3)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(LETTERS), st.sampled_from(LETTERS), turns, sizes)
def test_any_axis_order_turned_like_any_other_is_the_same_image(mine, other, degrees, size):
    """All 48 × 48 orders are drawn from; the grid may be oblique."""
    stored = image(grid(size=size, degrees=degrees))
    one, two = (sitk.DICOMOrient(stored, letters) for letters in (mine, other))
    turned = turned_like(two, Geometry.of(one))
    assert Geometry.of(one).offset(Geometry.of(turned)) < 1e-6
    assert np.array_equal(sitk.GetArrayFromImage(turned), sitk.GetArrayFromImage(one))


@pytest.mark.parametrize("letters", LETTERS)
def test_voxels_stay_where_they_are(letters):
    """Against ITK's own filter, of every order."""
    stored = image(grid(size=(3, 4, 5), degrees=(3, 4, 5)))
    turned = turned_like(stored, Geometry.of(sitk.DICOMOrient(stored, letters)))
    assert orientation(turned.GetDirection()) == letters
    for index in ((0, 0, 0), (2, 3, 4), (1, 0, 3)):
        place = stored.TransformIndexToPhysicalPoint(index)
        assert turned[turned.TransformPhysicalPointToIndex(place)] == stored[index]


def test_axes_between_two_of_the_patients_are_paired_whichever_way_they_are_rounded():
    """Turned by 45°, letters depend on the last digit; the grids do not."""
    one, other = (image(grid(degrees=(0, 0, degrees))) for degrees in (44.99, 45.01))
    letters = [orientation(image.GetDirection()) for image in (one, other)]
    assert letters[0] != letters[1]
    canonical = reorient(one, "LPS")
    turned = turned_like(reorient(other, "LPS"), Geometry.of(canonical))
    assert np.array_equal(sitk.GetArrayFromImage(turned), sitk.GetArrayFromImage(canonical))


@pytest.mark.parametrize("letters", LETTERS)
def test_an_array_and_a_box_in_it_turn_as_the_image_does(letters):
    canonical = image(grid((5, 4, 3)))
    stored = sitk.GetArrayFromImage(reorient(canonical, letters))
    assert (canonical_array(stored, letters) == sitk.GetArrayFromImage(canonical)).all()
    box = (slice(0, 2), slice(1, 3), slice(0, 1))
    marked = np.zeros_like(stored)
    marked[box] = 1
    expected = np.zeros_like(sitk.GetArrayFromImage(canonical))
    expected[canonical_box(box, stored.shape, letters)] = 1
    assert (canonical_array(marked, letters) == expected).all()
