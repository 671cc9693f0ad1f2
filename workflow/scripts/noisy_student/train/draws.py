"""How often each scan is drawn in a training."""

from typing import Any

import numpy as np
import pandas as pd

from noisy_student.train.origins import BY_HAND, FILLED, PSEUDO, unfilled_name
from noisy_student.train.phases import is_fine_tuning


def chances(training_set: pd.DataFrame, settings: dict[str, Any], epoch: int) -> np.ndarray | None:
    """Probability of each row of the training set in an epoch; None where all scans are drawn alike.

    In the last epochs, `fine_tuning`, only hand-labelled scans are drawn, corrected ones among them. Before,
    `labelled_fraction` of all draws are hand-labelled scans (by default as many as their share of the scans); with
    `draw_by_confidence` a pseudo-labelled scan is drawn in proportion to its `confidence`, with `draw_rare_organs` in
    proportion to `rarity`. Of a scan that a teacher has filled, which the index tells by its name, the filled one is
    drawn before and the other one after. A scan in which nothing was found, whose confidence is 0 or not given, counts
    as one of the others' mean confidence.
    """
    labelled, filled, pseudo = (
        training_set.origin.isin(origins).to_numpy() for origins in (BY_HAND, [FILLED], [PSEUDO])
    )
    if labelled.all():
        return None
    if is_fine_tuning(settings, epoch):
        return labelled / labelled.sum()
    by_hand = filled | (labelled & ~training_set.index.isin(map(unfilled_name, training_set.index[filled])))
    if not pseudo.any():
        return by_hand / by_hand.sum()
    fraction, by_confidence = settings["labelled_fraction"], settings["draw_by_confidence"]
    by_rarity = settings["draw_rare_organs"]
    if fraction is None and not (by_confidence or by_rarity or filled.any()):
        return None
    weights = np.where(pseudo, 1.0, 0.0)
    if by_confidence:
        confidence = training_set.confidence[pseudo].astype(float)
        known = confidence[confidence > 0]
        weights[pseudo] = confidence.where(confidence > 0, known.mean() if len(known) else 1)
    if by_rarity:
        weights[pseudo] *= rarity(training_set.found[pseudo])
    fraction = by_hand.sum() / (by_hand | pseudo).sum() if fraction is None else fraction
    return np.where(by_hand, fraction / by_hand.sum(), (1 - fraction) * weights / weights.sum())


def rarity(found: pd.Series) -> np.ndarray:
    """How seldom the organs `found` in each scan are: the mean over them of 1 / (share of scans with that organ).

    Organs are separated by ", ". A scan with none counts as one whose organs all have.
    """
    has = found.fillna("").str.get_dummies(", ").to_numpy(float)
    return np.where(has.any(1), (has / has.mean(0)).sum(1) / has.sum(1).clip(1), 1.0)
