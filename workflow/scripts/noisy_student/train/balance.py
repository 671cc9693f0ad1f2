"""Bounds on the confidence of organs' voxels, such that each organ keeps no more than the labelled scans let expect.

Class distribution alignment of pseudo-labels, after Wei et al., CReST, CVPR 2021; here of volumes.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from noisy_student.model.label_files import LabelFiles
from noisy_student.model.voxel_confidence import PERCENT

BALANCED = "balanced"
COLUMNS = ("organ", "expected_ml", "found_ml", "bound")


def organ_bounds(
    kept: Iterable[tuple[LabelFiles, Collection[str]]],
    organs: Sequence[str],
    least: float | str,
    mean_ml: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """How sure the teacher must be of each organ's voxels, in a round that learns from these pseudo-labels.

    `kept`: the files of each, and which organs are masked in it. `least`: the same bound for all organs, or `BALANCED`,
    which needs `mean_ml`, an organ's volume in a labelled scan on average (of those without it, 0); of an organ that is
    labelled nowhere nothing is expected, and its bound is 0. One row an organ with the columns `COLUMNS`; volumes are
    those of all scans in which the teacher marks the organ and it is not masked, together.
    """
    scans, found = Counter(), {organ: np.zeros(1) for organ in organs}
    for files, masked in kept:
        volumes = files.ml_by_confidence() if least == BALANCED else files.volumes_ml()
        for organ in volumes.keys() - set(masked):
            scans[organ] += 1
            found[organ] = found[organ] + volumes[organ]
    rows = []
    for organ in organs:
        expected = scans[organ] * mean_ml[organ] if mean_ml is not None and organ in mean_ml else None
        balanced = 0.0 if expected is None else balanced_bound(found[organ], expected)
        bound = balanced if least == BALANCED else least
        rows.append((organ, expected, found[organ].sum(), bound))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def balanced_bound(ml_by_confidence: np.ndarray, expected_ml: float) -> float:
    """The lowest bound, in whole per cent, that voxels of no more than the expected volume reach.

    `ml_by_confidence` (per cent from 0 to 100). 1 where more than expected has a confidence of 100 %: that is kept.
    """
    reaching = ml_by_confidence[::-1].cumsum()[::-1]
    return min(np.count_nonzero(reaching > expected_ml), PERCENT) / PERCENT
