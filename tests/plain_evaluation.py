"""The official evaluation's formulas, applied plainly: whole volumes, organ by organ, nothing saved.

What the fast evaluation must equal, in tests and in the benchmark. Arrays are (x, y, z), as the official tools
read them. Source of the rules: the challenge's evaluation code of 2022 and 2024.
"""

import warnings

import numpy as np
from surface_distance import compute_dice_coefficient, compute_surface_dice_at_tolerance, compute_surface_distances

TOLERANCES_MM = {1: 5, 2: 3, 3: 3, 4: 5, 5: 2, 6: 2, 7: 2, 8: 2, 9: 2, 10: 3, 11: 5, 12: 7, 13: 3}
Z_LIMITED = (5, 6, 10)


def plain_nsd(truth, prediction, spacing_mm, tolerance_mm):
    """NSD of two masks by surface-distance on the whole volume; 0 for an empty prediction."""
    if not prediction.any():
        return 0.0  # every distance is infinite; the package's own way there needs numpy below 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        distances = compute_surface_distances(truth, prediction, spacing_mm)
    return compute_surface_dice_at_tolerance(distances, tolerance_mm)


def truth_range(mask, axis, closed):
    """First and last occupied slice as the bounds of a range; the last one outside unless `closed`."""
    occupied = np.where(mask)[axis]
    lower, upper = occupied.min(), occupied.max()
    return lower, upper + 1 if closed or lower == upper else upper


def plain_scores(truth_xyz, prediction_xyz, spacing_mm_xyz, mode="flare22", axis=2):
    """(DSC, NSD) of the 13 organs, unrounded."""
    scores = []
    for label, tolerance_mm in TOLERANCES_MM.items():
        if np.sum(truth_xyz == label) == 0 and np.sum(prediction_xyz == label) == 0:
            scores.append((1.0, 1.0))
        elif np.sum(truth_xyz == label) == 0 or np.sum(prediction_xyz == label) == 0:
            scores.append((0.0, 0.0))
        else:
            truth, prediction = truth_xyz == label, prediction_xyz == label
            if label in Z_LIMITED:
                bounds = truth_range(truth, axis, closed=mode == "strict")
                kept = tuple(slice(*bounds) if i == axis else slice(None) for i in range(3))
                truth, prediction = truth[kept], prediction[kept]
            dsc = compute_dice_coefficient(truth, prediction)
            too_low = mode == "flare23plus" and dsc < 0.2
            nsd = 0.0 if too_low else plain_nsd(truth, prediction, spacing_mm_xyz, tolerance_mm)
            scores.append((dsc, nsd))
    return scores
