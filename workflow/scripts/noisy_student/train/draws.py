"""How often each scan is drawn in a training."""

from typing import Any

import numpy as np
import pandas as pd

from noisy_student.train.phases import is_fine_tuning


def chances(training_set: pd.DataFrame, settings: dict[str, Any], epoch: int) -> np.ndarray | None:
    """Probability of each row of the training set in an epoch; None where all scans are drawn alike.

    In the last epochs, `fine_tuning`, only hand-labelled scans are drawn. Before, `labelled_fraction` of all draws are
    hand-labelled scans (by default as many as their share of the scans); with `draw_by_confidence` a pseudo-labelled
    scan is drawn in proportion to its `confidence`, with `draw_rare_organs` in proportion to `rarity`.
    """
    labelled = (training_set.origin == "labelled").to_numpy()
    if labelled.all():
        return None
    if is_fine_tuning(settings, epoch):
        return labelled / labelled.sum()
    fraction, by_confidence = settings["labelled_fraction"], settings["draw_by_confidence"]
    by_rarity = settings["draw_rare_organs"]
    if fraction is None and not (by_confidence or by_rarity):
        return None
    weights = np.where(labelled, 0, training_set.confidence if by_confidence else 1).astype(float)
    if by_rarity:
        weights[~labelled] *= rarity(training_set.found[~labelled])
    fraction = labelled.mean() if fraction is None else fraction
    return np.where(labelled, fraction / labelled.sum(), (1 - fraction) * weights / weights.sum())


def rarity(found: pd.Series) -> np.ndarray:
    """How seldom the organs `found` in each scan are: the mean over them of 1 / (share of scans with that organ).

    Organs are separated by ", ". A scan with none counts as one whose organs all have.
    """
    has = found.fillna("").str.get_dummies(", ").to_numpy(float)
    return np.where(has.any(1), (has / has.mean(0)).sum(1) / has.sum(1).clip(1), 1.0)
