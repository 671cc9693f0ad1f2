"""Wilcoxon's signed-rank test, exact with ties at any number of cases."""

import numpy as np
from scipy.stats import rankdata

# With five, even a gain in every case has p = 0.06.
FEWEST_CASES = 6


def signed_rank_p(differences: np.ndarray) -> float:
    """The two-sided p of paired differences; zeros are left out, equal sizes share their mean rank. 1 if all are zero.

    Every sign is as likely as its opposite (Wilcoxon, Biometrics Bulletin 1945), so the distribution of the positive
    ranks' sum is built rank by rank. Equals scipy.stats.wilcoxon where that is exact; scipy enumerates all 2ⁿ signs
    where there are ties, which takes seconds for a dozen cases, and approximates beyond.
    """
    nonzero = differences[differences != 0]
    if not len(nonzero):
        return 1.0
    # Mean ranks are whole or half: doubled, they index the distribution.
    doubled = np.round(2 * rankdata(np.abs(nonzero))).astype(int)
    chance = np.zeros(doubled.sum() + 1)
    chance[0] = 1.0
    for rank in doubled:
        chance[rank:] = (chance[rank:] + chance[:-rank]) / 2
        chance[:rank] /= 2
    positive = doubled[nonzero > 0].sum()
    return float(min(1.0, 2 * min(chance[: positive + 1].sum(), chance[positive:].sum())))


def rank_biserial(differences: np.ndarray) -> float:
    """The positive ranks' share of all minus the negative ones', from -1 to 1: which direction the test speaks for.

    The matched-pairs rank-biserial correlation (Kerby, Comprehensive Psychology 2014). 0 if all differences are zero.
    """
    nonzero = differences[differences != 0]
    ranks = rankdata(np.abs(nonzero))
    return float((np.sign(nonzero) * ranks).sum() / ranks.sum()) if len(nonzero) else 0.0


def least_p(cases: int) -> float:
    """The smallest p that so many cases can give: all of them gain, or all lose."""
    return float(min(1.0, 2.0 ** (1 - cases)))
