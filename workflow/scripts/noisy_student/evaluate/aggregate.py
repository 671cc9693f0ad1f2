"""Scores of many cases in one row per organ, and one for all organs."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from noisy_student.errors import InputError
from noisy_student.evaluate.groups import by_set, keys_of
from noisy_student.evaluate.signed_rank import FEWEST_CASES
from noisy_student.intervals import mean_interval, mean_over_organs

MEASURES = ("DSC", "NSD")
FAILURE_DSC = 0.5
ALL_ORGANS = "mean"
COLUMNS = (
    *("role", "label", "organ", "measure", "n", "mean", "median", "sd", "q1", "q3"),
    *("ci_low", "ci_high", "failures"),
)


def by_case(scores: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The measure with cases as rows and labels as columns, in ascending order; unscored cases left out.

    Undefined (NaN) for organs that are not labelled in a case.
    """
    return scores.pivot(index="case", columns="label", values=measure).dropna(how="all").astype(float)


def organ_names(scores: pd.DataFrame) -> dict[int, str]:
    """The label table that the scores were made with: label to name, ascending."""
    names = scores.drop_duplicates("label").set_index("label")["organ"]
    return names.sort_index().to_dict()


def one_label_table(scores: Iterable[tuple[int, pd.DataFrame]]) -> dict[int, str]:
    """The label table with which the scores of all rounds were made. Raises InputError if there are several."""
    (first, names), *others = [(number, organ_names(table)) for number, table in scores]
    for number, other in others:
        labels = sorted(label for label in {*names, *other} if names.get(label) != other.get(label))
        if labels:
            said = (f"label {labels[0]} is {own.get(labels[0], 'none')}" for own in (names, other))
            got = " and ".join(f"{what} in round {of}" for what, of in zip(said, (first, number), strict=True))
            raise InputError("score tables of one label table", got, "judge all rounds with the same `organs`")
    return names


def summarise(scores: pd.DataFrame, pool_sets: bool = False) -> pd.DataFrame:
    """One row per role (and `set`, where the scores have it), measure and organ, then one row `mean` (label 0).

    With `pool_sets`, the sets of a role once more together, as set `pooled`.

    Of an organ the cases count in which it is labelled. `mean` rows: mean per organ over cases, then over organs (the
    challenge's way); median, sd and quartiles of the cases' means over their own organs; failures of all organs
    together. Failures are organs with DSC below 0.5, whichever the measure. `sd` is the sample's (n - 1); the interval
    is the bootstrap's over cases, empty below `FEWEST_CASES`.
    """
    rows, organs = [], organ_names(scores)
    for key, of_set in by_set(scores, pool_sets).items():
        failed = (by_case(of_set, "DSC") < FAILURE_DSC).sum()
        for measure in MEASURES:
            wide = by_case(of_set, measure).reindex(columns=list(organs))
            for label, organ in organs.items():
                one = wide[[label]].dropna().to_numpy()
                rows.append((*key, label, organ, measure, *_statistics(one), failed.get(label, 0)))
            rows.append((*key, 0, ALL_ORGANS, measure, *_statistics(wide.to_numpy()), failed.sum()))
    return pd.DataFrame(rows, columns=[*keys_of(scores), *COLUMNS[1:]])


def _statistics(values: np.ndarray) -> tuple[float, ...]:
    """n, mean, median, sd, quartiles and interval of (cases, organs) scores; empty (NaN) where there are no cases."""
    if not len(values):
        return (0, *[np.nan] * 7)
    cases = np.nanmean(values, axis=1)
    quartile1, median, quartile3 = np.percentile(cases, [25, 50, 75])
    sd = cases.std(ddof=1) if len(cases) > 1 else np.nan
    return (len(cases), mean_over_organs(values), median, sd, quartile1, quartile3, *interval_of(values))


def interval_of(values: np.ndarray) -> tuple[float, float]:
    """The interval of the mean of (cases, organs); empty (NaN) where there are too few cases for one."""
    return mean_interval(values) if len(values) >= FEWEST_CASES else (np.nan, np.nan)
