"""Experiments compared: the rounds of several runs on scans that all of them share, the first run as the baseline.

Score tables come by experiment and round, and hold shared scans alone (`shared_scans`). Experiments and rounds keep
their order.
"""

from collections.abc import Iterator, Mapping

import pandas as pd

from noisy_student.evaluate.aggregate import COLUMNS as SUMMARY
from noisy_student.evaluate.aggregate import summarise
from noisy_student.evaluate.comparison import COLUMNS as COMPARISON
from noisy_student.evaluate.comparison import RANK_BISERIAL, compare, holm
from noisy_student.evaluate.ranking import rank_rounds

Rounds = Mapping[str, Mapping[int, pd.DataFrame]]
TEST = ["p_wilcoxon", "p_holm", RANK_BISERIAL]


def pairs(scores: Rounds) -> Iterator[tuple[str, int, int]]:
    """(experiment, round, the baseline's round) of every comparison: equal rounds, then the last with the last."""
    baseline, *others = scores
    for name in others:
        same = [(number, number) for number in scores[name] if number in scores[baseline]]
        last = max(scores[name]), max(scores[baseline])
        for number, against in dict.fromkeys([*same, last]):
            yield name, number, against


def summarise_experiments(scores: Rounds) -> pd.DataFrame:
    """The summary of every round, as of a single run."""
    tables = [
        summarise(table).assign(experiment=name, round=number)
        for name, rounds in scores.items()
        for number, table in rounds.items()
    ]
    return pd.concat(tables, ignore_index=True)[["experiment", "round", *SUMMARY]]


def compare_experiments(scores: Rounds) -> pd.DataFrame:
    """Each round minus the baseline's, paired by scan: one row per role, measure and organ, then `mean` (label 0).

    Only means over organs are tested: `p_holm` is corrected over all of them, whatever the role, measure, experiment
    and round. Where there are too few scans, there is neither an interval nor a test.
    """
    baseline = next(iter(scores))
    tables = [
        compare(scores[name][number], scores[baseline][against], number, against).assign(experiment=name)
        for name, number, against in pairs(scores)
    ]
    table = pd.concat(tables, ignore_index=True).assign(baseline=baseline)
    is_tested = (table["label"] == 0) & table["p_wilcoxon"].notna()
    table.loc[~is_tested, TEST] = float("nan")
    table.loc[is_tested, "p_holm"] = holm(table.loc[is_tested, "p_wilcoxon"].tolist())
    role, number, against, *rest = COMPARISON
    return table[[role, "experiment", number, "baseline", against, *rest]]


def number_of_tests(comparison: pd.DataFrame) -> int:
    """Over how many tests `p_holm` is corrected."""
    return int(comparison["p_holm"].notna().sum())


def rank_experiments(scores: Rounds, efficiency: Rounds) -> pd.DataFrame:
    """The challenge's ranking with every round of every experiment in the place of a team."""
    teams = [(name, number) for name, rounds in scores.items() for number in rounds]
    ranking = rank_rounds(
        {place: scores[name][number] for place, (name, number) in enumerate(teams)},
        {place: efficiency[name][number] for place, (name, number) in enumerate(teams) if number in efficiency[name]},
    )
    team = ranking["round"].map(dict(enumerate(teams)))
    ranking.insert(1, "experiment", team.str[0])
    return ranking.assign(round=team.str[1])
