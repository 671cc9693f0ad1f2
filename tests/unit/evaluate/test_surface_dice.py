"""NSD from the truth's grown box equals the package's over the whole volume."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from surface_distance import compute_surface_distances

from noisy_student.evaluate import surface_dice as surface_dice_module
from noisy_student.evaluate.surface_dice import distances_mm, surface_dice
from noisy_student.evaluate.surfaces import Surface, area_table, mixed_corners, organ_surface
from plain_evaluation import plain_nsd
from strategies import draw_mask, mask_pairs, spacings_mm, tolerances_mm

# Sums over the same areas in another order may differ in the last bits.
ROUNDING = 1e-12


def surface_of(mask_xyz, spacing_mm):
    return organ_surface(mixed_corners(mask_xyz.T.astype(np.uint8)), 1, area_table(spacing_mm))


def nsd(truth_xyz, prediction_xyz, spacing_mm, tolerance_mm):
    surfaces = (surface_of(mask, spacing_mm) for mask in (truth_xyz, prediction_xyz))
    return surface_dice(*surfaces, spacing_mm, tolerance_mm)


@settings(deadline=None, max_examples=400)
@given(mask_pairs(), spacings_mm, tolerances_mm)
def test_equals_the_package_on_random_masks(masks, spacing_mm, tolerance_mm):
    expected = plain_nsd(*masks, spacing_mm, tolerance_mm)
    assert nsd(*masks, spacing_mm, tolerance_mm) == pytest.approx(expected, abs=ROUNDING)


EDGES = {
    "one voxel, hit": ("one voxel", "one voxel", 3, 3),
    "one voxel, missed": ("one voxel", "one voxel", 3, 4),
    "whole volume, both": ("whole", "whole", 0, 0),
    "whole volume predicted": ("boxes", "whole", 1, 0),
    "whole volume is truth": ("whole", "boxes", 0, 1),
    "touching the border": ("border", "border", 5, 6),
    "border and interior": ("border", "boxes", 5, 6),
    "strays in opposite corners": ("boxes", "corners", 1, 0),
    "empty prediction": ("boxes", "empty", 1, 0),
}


@pytest.mark.parametrize("tolerance_mm", [2, 7])
@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (0.7, 0.9, 5.0), (5.0, 0.5, 2.5)])
@pytest.mark.parametrize("edge", EDGES)
def test_equals_the_package_at_the_edges(edge, spacing_mm, tolerance_mm):
    truth_kind, prediction_kind, truth_seed, prediction_seed = EDGES[edge]
    truth = draw_mask(truth_kind, (23, 19, 11), truth_seed)
    prediction = draw_mask(prediction_kind, (23, 19, 11), prediction_seed)
    expected = plain_nsd(truth, prediction, spacing_mm, tolerance_mm)
    assert nsd(truth, prediction, spacing_mm, tolerance_mm) == pytest.approx(expected, abs=ROUNDING)


@settings(deadline=None, max_examples=200)
@given(mask_pairs(), spacings_mm, tolerances_mm)
def test_distances_within_the_tolerance_are_the_packages_to_the_last_bit(masks, spacing_mm, tolerance_mm):
    truth, prediction = (surface_of(mask, spacing_mm) for mask in masks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        expected = compute_surface_distances(*masks, spacing_mm)["distances_gt_to_pred"]
    found = np.sort(distances_mm(truth, prediction, np.array(spacing_mm), tolerance_mm))
    np.testing.assert_array_equal(found[np.isfinite(found)], expected[expected <= tolerance_mm])
    assert len(found) == len(expected)


@pytest.mark.parametrize(("step_mm", "tolerance_mm"), [(2.5, 5), (1.0, 3), (0.5, 2), (0.7675780057907104, 3)])
def test_a_distance_of_exactly_the_tolerance_counts(step_mm, tolerance_mm):
    steps = int(tolerance_mm / step_mm)
    start, goal = (Surface(np.array([z]), np.array([[0, 0, z]]), np.ones(1)) for z in (0, steps))
    exact = steps * step_mm
    spacing = np.array([1.0, 1.0, step_mm])
    assert distances_mm(start, goal, spacing, exact) == [exact]
    assert distances_mm(start, goal, spacing, np.nextafter(exact, 0)) == [np.inf]


def test_strays_beyond_the_tolerance_are_never_searched(monkeypatch):
    searched = []

    class CountingTree(surface_dice_module.cKDTree):
        def query(self, points, **options):
            searched.append((self.n, len(points)))
            return super().query(points, **options)

    monkeypatch.setattr(surface_dice_module, "cKDTree", CountingTree)
    truth, clean = np.zeros((2, 40, 40, 40), bool)
    truth[15:20, 15:20, 15:20], clean[16:21, 15:20, 15:20] = True, True
    strayed = clean.copy()
    strayed[::39, ::39, ::39] = True
    assert nsd(truth, strayed, (1.0, 1.0, 1.0), 3) < nsd(truth, clean, (1.0, 1.0, 1.0), 3)
    assert len(searched) == 4
    assert searched[:2] == searched[2:]
