"""NSD: the share of both surfaces that lies within a tolerance of the other one, at a bounded cost.

Only `distance <= tolerance` matters. So nothing is looked for outside the truth's box grown by the tolerance, and
the cost depends on how large the surfaces are, not on where they lie.
"""

import numpy as np
import surface_distance
from scipy.spatial import cKDTree

from noisy_student.evaluate.surfaces import Surface

# The search sees corners rounded to float; whether the tolerance is met is decided on whole voxel steps afterwards.
SEARCH_MARGIN = 1 + 1e-6


def surface_dice(
    truth: Surface, prediction: Surface, spacing_mm_xyz: tuple[float, ...], tolerance_mm: float
) -> np.float64:
    """NSD at the tolerance, by surface-distance's formula. The truth's surface must not be empty."""
    spacing = np.asarray(spacing_mm_xyz, np.float64)
    near = _in_grown_box(prediction.index_xyz, truth.index_xyz, tolerance_mm * SEARCH_MARGIN / spacing)
    close = prediction if near.all() else Surface(*(values[near] for values in vars(prediction).values()))
    to_prediction = distances_mm(truth, close, spacing, tolerance_mm)
    to_truth = np.full(len(near), np.inf)
    to_truth[near] = distances_mm(close, truth, spacing, tolerance_mm)
    return surface_distance.compute_surface_dice_at_tolerance(
        _as_surface_distances(to_prediction, truth.area_mm2, to_truth, prediction.area_mm2), tolerance_mm
    )


def _in_grown_box(index_xyz: np.ndarray, truth_xyz: np.ndarray, margin_voxels: np.ndarray) -> np.ndarray:
    inside = np.ones(len(index_xyz), bool)
    for index, truth, margin in zip(index_xyz.T, truth_xyz.T, margin_voxels, strict=True):
        inside &= (index >= truth.min() - margin) & (index <= truth.max() + margin)
    return inside


def distances_mm(start: Surface, goal: Surface, spacing_mm_xyz: np.ndarray, tolerance_mm: float) -> np.ndarray:
    """From each corner of one surface to the nearest of the other, in mm; infinite where beyond the tolerance.

    Computed from whole voxel steps as scipy's distance transform does, so that a distance of exactly the tolerance
    comes out the same.
    """
    distances = np.where(_shared(start.place, goal.place), 0.0, np.inf)
    apart = np.flatnonzero(distances)
    if not len(goal.place) or not len(apart):
        return distances
    start_xyz, goal_xyz = start.index_xyz[apart], goal.index_xyz
    # Plain splitting serves points on a grid as well as balanced, and builds in half the time.
    tree = cKDTree(goal_xyz * spacing_mm_xyz, balanced_tree=False, compact_nodes=False)
    _, nearest = tree.query(start_xyz * spacing_mm_xyz, distance_upper_bound=tolerance_mm * SEARCH_MARGIN)
    found = np.flatnonzero(nearest < len(goal_xyz))
    steps_mm = (goal_xyz[nearest[found]] - start_xyz[found]) * spacing_mm_xyz
    squares = steps_mm * steps_mm
    exact = np.sqrt(squares[:, 0] + squares[:, 1] + squares[:, 2])
    distances[apart[found]] = np.where(exact <= tolerance_mm, exact, np.inf)
    return distances


def _shared(start: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Which of the ascending start places are goal places too."""
    if not len(goal):
        return np.zeros(len(start), bool)
    position = np.searchsorted(goal, start)
    return goal[np.minimum(position, len(goal) - 1)] == start


def _as_surface_distances(
    to_prediction: np.ndarray, truth_area: np.ndarray, to_truth: np.ndarray, prediction_area: np.ndarray
) -> dict[str, np.ndarray]:
    """The package's dictionary, sorted by distance and then area as it sorts: sums round alike in the same order."""
    truth_order = np.lexsort((truth_area, to_prediction))
    prediction_order = np.lexsort((prediction_area, to_truth))
    return {
        "distances_gt_to_pred": to_prediction[truth_order],
        "surfel_areas_gt": truth_area[truth_order],
        "distances_pred_to_gt": to_truth[prediction_order],
        "surfel_areas_pred": prediction_area[prediction_order],
    }
