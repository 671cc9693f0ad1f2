"""The scores of every judged case, organ and round, in the compact form that the page's case table reads."""

from typing import Any

import pandas as pd

from noisy_student.report.results import Results

# More than the page shows: rounding twice would round wrongly.
DIGITS = 6
MEASURES = ("DSC", "NSD")


def case_scores(results: Results) -> pd.DataFrame:
    """One row per case, organ and round that was judged: the table behind the page's, for the TSV file."""
    columns = ["round", "case", "role", "set", "label", "organ", "DSC", "NSD"]
    tables = [round_.scores.assign(round=round_.number)[columns] for round_ in results.rounds if len(round_.scores)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def case_rows(results: Results) -> dict[str, Any]:
    """`rounds`, `sets`, `organs` and `cases`; a case's `scores[measure][organ][round]` has the mean over organs first.

    `sets` are the names of all sets; none where each role is judged as a whole. Missing scores are None. Cases stand in
    the order of the case table.
    """
    table = case_scores(results)
    rounds = sorted(table["round"].unique().tolist())
    labels = [0, *(organ.label for organ in results.organs)]
    wide = {measure: _wide(table, measure) for measure in MEASURES}
    judged = table[["case", "role", "set"]].drop_duplicates()
    order = {case: place for place, case in enumerate(results.cases["case"])}
    judged = judged.sort_values("case", key=lambda cases: cases.map(order), kind="stable")
    cases = [
        {"case": case, "role": role, "set": name, "scores": {m: _grid(wide[m], case, labels, rounds) for m in MEASURES}}
        for case, role, name in judged.itertuples(index=False)
    ]
    sets = list(dict.fromkeys(name for name in judged["set"] if name))
    organs = ["mean over organs", *(organ.name for organ in results.organs)]
    return {"rounds": rounds, "sets": sets, "organs": organs, "cases": cases}


def _grid(
    scores: dict[tuple[str, int, int], float], case: str, labels: list[int], rounds: list[int]
) -> list[list[float | None]]:
    return [[_value(scores, (case, label, number)) for number in rounds] for label in labels]


def _wide(table: pd.DataFrame, measure: str) -> dict[tuple[str, int, int], float]:
    organs = table.set_index(["case", "label", "round"])[measure].to_dict()
    means = table.groupby(["case", "round"])[measure].mean()
    return organs | {(case, 0, number): value for (case, number), value in means.items()}


def _value(scores: dict[tuple[str, int, int], float], key: tuple[str, int, int]) -> float | None:
    value = scores.get(key)
    return None if value is None or pd.isna(value) else round(float(value), DIGITS)
