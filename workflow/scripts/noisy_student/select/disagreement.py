"""How much consecutive teachers disagree about a scan: the measure by which FLARE22's winner dropped pseudo-labels.

Huang et al. (team blackbean), FLARE22: u = (Σ(p1 ≠ p2) / Σ(p2 > 0) + Σ(p2 ≠ p3) / Σ(p3 > 0)) / 2 over three label sets.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from noisy_student.organs import Organ
from noisy_student.overlap import slice_overlaps

LABEL_SETS = 3


def disagreements(label_maps_zyx: Sequence[np.ndarray], organs: Sequence[Organ]) -> pd.DataFrame:
    """Per organ: `disagreement` over all organs (the same in each row), `organ_disagreement` and `changed_voxels`.

    `label_maps_zyx`: one scan's label maps (z, y, x), earliest round first; the last three count. `changed_voxels`: how
    many the organ gained or lost from one round to the next, mean over the rounds. All are undefined (empty) as long as
    there is only one.
    """
    pairs = [_shared(*pair, len(organs)) for pair in pairwise(label_maps_zyx[-LABEL_SETS:])]
    overall = _mean([_disagreement(shared.sum() - shared.trace(), shared[1:], shared[:, 1:]) for shared in pairs])
    rows = []
    for organ in organs:
        of_organ = [(_changed(shared, organ.label), shared[organ.label], shared[:, organ.label]) for shared in pairs]
        relative = _mean([_disagreement(*counts) for counts in of_organ])
        rows.append((organ.label, overall, relative, _mean([changed for changed, *_ in of_organ])))
    return pd.DataFrame(rows, columns=["label", "disagreement", "organ_disagreement", "changed_voxels"])


def _shared(before: np.ndarray, after: np.ndarray, organs: int) -> np.ndarray:
    """Voxels by (earlier label, later label); those that are background in both are not counted."""
    return slice_overlaps(before, after, organs).sum(axis=0)


def _changed(shared: np.ndarray, label: int) -> int:
    return shared[label].sum() + shared[:, label].sum() - 2 * shared[label, label]


def _disagreement(differs: int, before: np.ndarray, after: np.ndarray) -> float:
    """Σ differs / Σ after. Where the later label map has nothing: 0 if the earlier has nothing either, otherwise 1."""
    voxels = after.sum()
    return float(differs / voxels) if voxels else float(before.any())


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
