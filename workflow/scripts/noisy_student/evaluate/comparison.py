"""Is one round better than another? Paired over the same cases."""

from itertools import pairwise

import numpy as np
import pandas as pd

from noisy_student.errors import InputError
from noisy_student.evaluate.aggregate import ALL_ORGANS, MEASURES, by_case, interval_of, one_label_table
from noisy_student.evaluate.groups import by_set, keys_of
from noisy_student.evaluate.signed_rank import FEWEST_CASES, rank_biserial, signed_rank_p
from noisy_student.intervals import mean_over_organs

RANK_BISERIAL = "rank_biserial"
COLUMNS = (
    *("role", "round", "against", "label", "organ", "measure", "n", "difference", "ci_low", "ci_high"),
    *("p_wilcoxon", "p_holm", "wins", "ties", "losses", RANK_BISERIAL),
)
# Means over organs of equal scores may differ in the last bits; that is a tie.
TIE_DIGITS = 10


def compare_rounds(scores: dict[int, pd.DataFrame], pool_sets: bool = False) -> pd.DataFrame:
    """Each round against the one before it and against the first.

    One row per role (and `set`, where the scores have it), measure and organ, then `mean`; with `pool_sets`, the sets
    of a role once more together, as set `pooled`.
    """
    first, *later_rounds = rounds = sorted(scores)
    pairs = sorted(
        {(number, first) for number in later_rounds} | {(after, before) for before, after in pairwise(rounds)}
    )
    tables = [compare(scores[after], scores[before], after, before, pool_sets) for after, before in pairs]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))


def compare(
    later: pd.DataFrame, earlier: pd.DataFrame, round_number: int, against: int, pool_sets: bool = False
) -> pd.DataFrame:
    """`later` minus `earlier`, a positive difference being a gain, over the cases in which an organ is labelled.

    `p_wilcoxon` is the two-sided signed-rank test's, and `rank_biserial` says for which direction it speaks, which the
    mean of a few large differences need not have; `p_holm` is corrected over the organs of one role, set
    and measure that have enough cases. The `mean` row (label 0) tests the cases' means over organs, once, so both are
    the same there. With fewer than `FEWEST_CASES` there is neither an interval nor a test. Raises InputError for tables
    without a case in common, or of two label tables.
    """
    rows, organs = [], one_label_table([(against, earlier), (round_number, later)])
    before = by_set(earlier, pool_sets)
    for key, after in by_set(later, pool_sets).items():
        for measure in MEASURES:
            differences = _differences(after, before.get(key, earlier[:0]), measure)
            if differences.empty:
                raise InputError(
                    f"scores of the same cases in rounds {against} and {round_number}",
                    f"no {' '.join(key[::-1])} case scored in both",
                    "evaluate both rounds on the same scans",
                )
            of_organs = differences.reindex(columns=list(organs))
            tests = [_test(of_organs[[label]].dropna().to_numpy()) for label in organs]
            corrected = holm([test[4] for test in tests])
            overall = _test(differences.to_numpy())
            names = [*organs.items(), (0, ALL_ORGANS)]
            for name, test, p_holm in zip(names, [*tests, overall], [*corrected, overall[4]], strict=True):
                rows.append((*key, round_number, against, *name, measure, *test[:5], p_holm, *test[5:]))
    return pd.DataFrame(rows, columns=[*keys_of(later), *COLUMNS[1:]])


def _differences(later: pd.DataFrame, earlier: pd.DataFrame, measure: str) -> pd.DataFrame:
    after, before = by_case(later, measure), by_case(earlier, measure)
    return (after - before.reindex(after.index)).dropna(how="all")


def _test(differences: np.ndarray) -> tuple[float, ...]:
    """n, mean, interval, p, wins, ties, losses, rank-biserial correlation of (cases, organs) differences.

    Without cases there is nothing but counts.
    """
    if not len(differences):
        return (0, *[np.nan] * 4, 0, 0, 0, np.nan)
    cases = np.nanmean(differences, axis=1).round(TIE_DIGITS)
    outcomes = [int((np.sign(cases) == sign).sum()) for sign in (1, 0, -1)]
    mean = mean_over_organs(differences)
    p, direction = (signed_rank_p(cases), rank_biserial(cases)) if len(cases) >= FEWEST_CASES else (np.nan, np.nan)
    return (len(cases), mean, *interval_of(differences), p, *outcomes, direction)


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down correction (Scand. J. Statist. 1979), in the given order; what is NaN was not tested."""
    p = np.asarray(p_values, float)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    steps = np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1))
    corrected = np.full_like(p, np.nan)
    corrected[order] = np.minimum(steps, 1)
    return corrected.tolist()
