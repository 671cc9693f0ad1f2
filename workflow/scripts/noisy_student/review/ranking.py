"""In which order scans are best corrected: most at stake first, and of those that are alike only some.

At stake in a scan is its volume in doubt, the more the less sure the teacher is of its organs: where it is unsure of
all, what it is sure of is wrong more often, too; and what changed since the teachers before.

A correction removes that from its own scan, and teaches something of scans that are like it. So the gain of a set of
corrections is Σ over all scans of what is at stake × how alike the most similar corrected scan is, and each next scan
the one that adds most to it (facility location, Nemhauser 1978). A scan that many others are like counts for them;
once it is on the list, they count less.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from noisy_student.select.scores import CHANGED

# So many scans are placed one by one; those behind them by what they would add after these.
PLACED = 100
# Of scans whose features differ as those of any two do, the likeness is exp(-2 SHARPNESS), which is next to nothing.
SHARPNESS = 4.0


def likeness(features: pd.DataFrame) -> np.ndarray:
    """How alike each two scans are, from 0 to 1 (1: equal in all features). Rows are scans, columns features.

    exp(-SHARPNESS d²), d² the mean squared difference of the features, each in its standard deviations. A feature that
    is undefined counts as average; one that is the same in all scans says nothing.
    """
    spread = features.std(ddof=0)
    told = features.loc[:, spread > 0]
    if told.empty:
        return np.ones((len(features), len(features)), np.float32)
    standard = ((told - told.mean()) / spread[spread > 0]).fillna(0.0).to_numpy(np.float32)
    squares = (standard**2).sum(axis=1)
    # Of one scan to itself, rounding would leave something.
    apart = np.maximum(squares[:, None] + squares[None] - 2 * standard @ standard.T, 0) / standard.shape[1]
    np.fill_diagonal(apart, 0)
    return np.exp(-SHARPNESS * apart)


def at_stake_ml(doubt_ml: pd.Series, scores: pd.DataFrame, measures: pd.DataFrame) -> pd.Series:
    """What is at stake in each scan: its volume in doubt, times its mean doubt in organs relative to all scans' mean.

    `scores` and `measures` have one row per case and organ. Of an organ that was not found the teacher is not sure at
    all; one that was found in no scan says nothing of any. Where there are labels of rounds before, what organs gained
    or lost since (`changed_ml`) is at stake, too.
    """
    found = scores.mean_max_probability.notna()
    told = found.groupby(scores.label).transform("any") | (not found.any())
    doubt_in_organs = (1 - scores.mean_max_probability.fillna(0))[told].groupby(scores.case).mean().loc[doubt_ml.index]
    changed_ml = measures[CHANGED].fillna(0).groupby(measures.case).sum()
    relative = doubt_in_organs / max(doubt_in_organs.mean(), np.finfo(float).tiny)
    return doubt_ml * relative + changed_ml.loc[doubt_ml.index]


def with_changes(measures: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The measures with `changed_ml` of every organ that has an `organ_disagreement`, and of how many it is estimated.

    Tables of earlier versions lack it; an organ's volume of today stands for that of both rounds there.
    """
    estimated_ml = measures.organ_disagreement * measures.volume_ml
    known_ml = measures.get(CHANGED, pd.Series(np.nan, measures.index))
    is_estimated = known_ml.isna() & estimated_ml.notna()
    return measures.assign(**{CHANGED: known_ml.fillna(estimated_ml)}), int(is_estimated.sum())


def ranked(stake_ml: pd.Series, features: pd.DataFrame, corrected: Collection[str] = ()) -> pd.DataFrame:
    """The scans (index) in the order of the list: `gain_ml` that each adds, `stake_ml`, and how many `alike` there are.

    `features` has the same index. Of equal scans the first in the index comes first. Scans that were `corrected` before
    are not on the list, and stand for those that are like them.
    """
    alike = likeness(features.loc[stake_ml.index])
    stake = stake_ml.to_numpy(np.float32)
    left, order = ~stake_ml.index.isin(corrected), []
    reached, gains = alike[~left].max(axis=0, initial=0), np.zeros_like(stake)
    for _ in range(min(PLACED, left.sum())):
        gains[left] = np.maximum(alike[left] - reached, 0) @ stake
        order.append(int(np.where(left, gains, -1).argmax()))
        left[order[-1]] = False
        reached = np.maximum(reached, alike[order[-1]])
    gains[left] = np.maximum(alike[left] - reached, 0) @ stake
    behind = np.flatnonzero(left)
    order += behind[np.argsort(-gains[behind], kind="stable")].tolist()
    columns = {"gain_ml": gains, "stake_ml": stake, "alike": alike.sum(axis=1) - 1}
    return pd.DataFrame(columns, index=stake_ml.index).iloc[order]


def features(scores: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    """What scans are compared by: each organ's volume and confidence, spacing, and range of intensities.

    `scores` has one row per case and organ, `cases` is the case table. Volumes on a logarithmic scale.
    """
    volumes = np.log1p(scores.pivot(index="case", columns="label", values="volume_ml"))
    sure = scores.pivot(index="case", columns="label", values="mean_max_probability")
    known = ["spacing_x_mm", "spacing_z_mm", "intensity_low", "intensity_high"]
    header = cases.set_index("case").loc[volumes.index, known].astype(float)
    return pd.concat([volumes.add_prefix("volume "), sure.add_prefix("sure "), header], axis=1)
