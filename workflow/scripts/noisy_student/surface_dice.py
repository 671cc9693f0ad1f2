"""NSD: the share of both surfaces that lies within a tolerance of the other one, at a bounded cost.

Only `distance <= tolerance` matters. So nothing is looked for outside the truth's box grown by the tolerance, and
the cost depends on how large the surfaces are, not on where they lie.
"""

import numpy as np
import surface_distance
from scipy.spatial import cKDTree

from noisy_student.surfaces import Surface

# The search sees corners rounded to float; whether the tolerance is met is decided on whole voxel steps afterwards.
SEARCH_MARGIN = 1 + 1e-6


def surface_dice(
    truth: Surface, prediction: Surface, spacing_mm_xyz: tuple[float, ...], tolerance_mm: float
) -> np.float64:
    """NSD at the tolerance, by surface-distance's formula. The truth's surface must not be empty."""
    spacing = np.asarray(spacing_mm_xyz, np.float64)
    near = _in_grown_box(prediction.index_xyz, truth.index_xyz, tolerance_mm * SEARCH_MARGIN / spacing)
    to_prediction = distances_mm(truth.index_xyz, prediction.index_xyz[near], spacing, tolerance_mm)
    to_truth = np.full(len(near), np.inf)
    to_truth[near] = distances_mm(prediction.index_xyz[near], truth.index_xyz, spacing, tolerance_mm)
    return surface_distance.compute_surface_dice_at_tolerance(
        _as_surface_distances(to_prediction, truth.area_mm2, to_truth, prediction.area_mm2), tolerance_mm
    )


def _in_grown_box(index_xyz: np.ndarray, truth_xyz: np.ndarray, margin_voxels: np.ndarray) -> np.ndarray:
    lower, upper = truth_xyz.min(axis=0) - margin_voxels, truth_xyz.max(axis=0) + margin_voxels
    return ((index_xyz >= lower) & (index_xyz <= upper)).all(axis=1)


def distances_mm(
    start_xyz: np.ndarray, goal_xyz: np.ndarray, spacing_mm_xyz: np.ndarray, tolerance_mm: float
) -> np.ndarray:
    """From each start corner to the nearest goal corner, in mm; infinite where that is beyond the tolerance.

    Computed from whole voxel steps as scipy's distance transform does, so that a distance of exactly the tolerance
    comes out the same.
    """
    distances = np.where(_shared(start_xyz, goal_xyz), 0.0, np.inf)
    apart = np.flatnonzero(distances)
    if not len(goal_xyz) or not len(apart):
        return distances
    tree = cKDTree(goal_xyz * spacing_mm_xyz)
    _, nearest = tree.query(start_xyz[apart] * spacing_mm_xyz, distance_upper_bound=tolerance_mm * SEARCH_MARGIN)
    found = nearest < len(goal_xyz)
    steps_mm = (goal_xyz[nearest[found]] - start_xyz[apart[found]]) * spacing_mm_xyz
    distances[apart[found]] = np.sqrt(np.add.reduce((steps_mm * steps_mm).T, axis=0))
    distances[distances > tolerance_mm] = np.inf
    return distances


def _shared(start_xyz: np.ndarray, goal_xyz: np.ndarray) -> np.ndarray:
    """Which start corners are goal corners too."""
    if not len(start_xyz) or not len(goal_xyz):
        return np.zeros(len(start_xyz), bool)
    grid = np.maximum(start_xyz.max(axis=0), goal_xyz.max(axis=0)) + 1
    return np.isin(np.ravel_multi_index(start_xyz.T, grid), np.ravel_multi_index(goal_xyz.T, grid))


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
