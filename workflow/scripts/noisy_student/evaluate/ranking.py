"""The challenge's ranking, with rounds in the place of teams.

Source: FLARE22. Rank the teams for each case and measure, then average the ranks; the two efficiency areas count
half. DSC and NSD of a case are means over the organs that are labelled in it. Equal results share the mean of their
ranks. What was measured, as times are, fluctuates: results that differ by less than that count as equal. Measured on
several kinds of machines, it does not count.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from noisy_student.evaluate.aggregate import by_case, one_label_table
from noisy_student.evaluate.comparison import TIE_DIGITS
from noisy_student.evaluate.groups import by_set, keys_of
from noisy_student.evaluate.signed_rank import FEWEST_CASES
from noisy_student.machine import machines


@dataclass(frozen=True)
class Measure:
    """A ranked measure: its column, how much it counts, and whether it is a score, of which more is better.

    What is no score, as a time, fluctuates.
    """

    column: str
    weight: float
    is_score: bool = False


MEASURES = (
    Measure("DSC", 1, is_score=True),
    Measure("NSD", 1, is_score=True),
    Measure("seconds", 1),
    Measure("gpu_area_over_tolerance_mb_s", 0.5),
    Measure("cpu_area_percent_s", 0.5),
)


def rank_rounds(
    scores: dict[int, pd.DataFrame], efficiency: dict[int, pd.DataFrame] | None = None, pool_sets: bool = False
) -> pd.DataFrame:
    """One row per role (and `set`, where the scores have it) and round, best first.

    Columns: place, score (lower is better), and per measure mean rank and n.

    Cases that a round lacks are left out for all. A measure that no case has (no GPU, no efficiency table) has an
    empty mean rank, n 0, and does not count; nor do times and areas of several kinds of machines. Raises InputError for
    scores of several label tables.
    """
    measured = (efficiency or {}) if len(machines((efficiency or {}).values())) < 2 else {}
    one_label_table(scores.items())
    tables = {number: by_set(table, pool_sets) for number, table in scores.items()}
    first = next(iter(scores.values()))
    names, ranked = keys_of(first), []
    for key in by_set(first, pool_sets):
        of_set = {number: table.get(key, scores[number][:0]) for number, table in tables.items()}
        ranked.append(_rank(of_set, measured).assign(**dict(zip(names, key, strict=True))))
    table = pd.concat(ranked, ignore_index=True)
    return table[[*names, *table.columns.drop(names)]]


def _rank(scores: dict[int, pd.DataFrame], efficiency: dict[int, pd.DataFrame]) -> pd.DataFrame:
    columns: dict[str, pd.Series] = {}
    weighted, weights = 0.0, 0.0
    for measure in MEASURES:
        values = pd.DataFrame({number: _per_case(scores, efficiency, number, measure.column) for number in scores})
        values = values.dropna()
        if not measure.is_score and len(values):
            values = _told_apart(values)
        ranks = values.rank(axis=1, ascending=not measure.is_score)
        columns[f"rank_{measure.column}"] = ranks.mean() if len(ranks) else pd.Series(np.nan, values.columns)
        columns[f"n_{measure.column}"] = pd.Series(len(ranks), values.columns)
        if len(ranks):
            weighted, weights = weighted + measure.weight * ranks.mean(), weights + measure.weight
    table = pd.DataFrame(columns)
    # Summed in the order of the measures, equal scores may differ in the last bits.
    table.insert(0, "score", (weighted / weights).round(TIE_DIGITS) if weights else np.nan)
    table.insert(0, "place", table["score"].rank(method="min").astype("Int64"))
    return table.rename_axis("round").reset_index().sort_values(["score", "round"], ignore_index=True)


def _told_apart(values: pd.DataFrame) -> pd.DataFrame:
    """Measured values (cases, rounds), in which rounds that cannot be told apart have their common mean.

    In the order of their means, a round differs from the one before it if the mean of their paired differences over
    cases is larger than the differences' standard deviation, which by chance alone happens in about one of twenty
    comparisons of six cases; with fewer than `FEWEST_CASES` none does.
    """
    order = values.mean().sort_values(kind="stable").index
    group = dict.fromkeys(order, 0)
    for before, after in pairwise(order):
        differences = values[after] - values[before]
        differs = len(values) >= FEWEST_CASES and differences.mean() > differences.std()
        group[after] = group[before] + int(differs)
    return values.T.groupby(group).transform("mean").T


def _per_case(
    scores: dict[int, pd.DataFrame], efficiency: dict[int, pd.DataFrame], number: int, column: str
) -> pd.Series:
    """The round's value of the measure by case; empty if it was not measured."""
    if column in ("DSC", "NSD"):
        return by_case(scores[number], column).mean(axis=1).round(TIE_DIGITS)
    table = efficiency.get(number)
    if table is None or column not in table:
        return pd.Series(dtype=float)
    measured = table.set_index("case")[column]
    return measured[measured.index.isin(scores[number]["case"])].astype(float)
