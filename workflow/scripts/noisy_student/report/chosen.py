"""Which cases are shown: chosen by rule, and those that the configuration names."""

from dataclasses import dataclass

import pandas as pd

from noisy_student.evaluate.aggregate import FAILURE_DSC
from noisy_student.report.numbers import score
from noisy_student.report.results import Results, Round
from noisy_student.report.verdict import judged_sets, selected
from noisy_student.sets import JudgedSet, rows_of

EACH = 2  # worst kept and best dropped pseudo-labels


@dataclass(frozen=True)
class Choice:
    """A case, why it is shown, and where: among the judged `scans`, the `pseudo-labels`, or the `named` ones.

    `of` says of which scans it is the best, the median or the worst, where several sets are judged.
    """

    case: str
    why: str
    kind: str
    of: str = ""


def chosen_cases(results: Results, named: list[str]) -> list[Choice]:
    """All cases to show, each once; those named in the configuration last."""
    chosen = [*judged_cases(results), *pseudo_labelled_cases(results)]
    shown = {choice.case for choice in chosen}
    return [*chosen, *(Choice(case, "named", "named") for case in dict.fromkeys(named) if case not in shown)]


def judged_cases(results: Results) -> list[Choice]:
    """Of each set, the best, median and worst case of the last round, and the worst case of each organ that fails.

    The best, median and worst are among the scans in which the most organs are labelled: a mean over two is no equal.
    An organ fails with a mean DSC below `FAILURE_DSC` over the scans that have it; where none does, the weakest counts.
    """
    return [choice for judged in judged_sets(results) for choice in _of_set(results, judged)]


def _of_set(results: Results, judged: JudgedSet) -> list[Choice]:
    rounds = [round_ for round_ in results.evaluated(judged) if len(round_.scores)]
    if not rounds:
        return []
    scores = rows_of(judged, rounds[-1].scores)
    labelled = scores["truth_voxels"].notna().groupby(scores["case"]).sum()
    full = scores[scores["case"].isin(labelled.index[labelled == labelled.max()])]
    ranked = full.groupby("case")["DSC"].mean().sort_values(ascending=False, kind="stable")
    chosen = {ranked.index[0]: "best"}
    chosen.setdefault(ranked.index[len(ranked) // 2], "median")
    chosen[ranked.index[-1]] = "worst"
    for case, why in _weak_organs(scores):
        chosen.setdefault(case, why)
    order = {"best": 0, "median": 1, "worst": 2}
    of = judged.scans if judged.name else ""
    return [Choice(*item, "scans", of) for item in sorted(chosen.items(), key=lambda item: order.get(item[1], 3))]


def _weak_organs(scores: pd.DataFrame) -> list[tuple[str, str]]:
    present = scores[scores["truth_voxels"] > 0]
    present = scores if present.empty else present
    means = present.groupby("organ", sort=False)["DSC"].mean().sort_values(kind="stable")
    failing = means[means < FAILURE_DSC]
    found = []
    for organ in (failing if len(failing) else means[:1]).index:
        rows = present[present["organ"] == organ].sort_values("DSC", kind="stable")
        why = f"worst {organ}, " + ("which fails in the mean" if len(failing) else "the weakest organ")
        found.append((rows["case"].iloc[0], why))
    return found


def last_selected(results: Results) -> Round | None:
    """The last round whose pseudo-labels were kept or dropped for a student to learn from."""
    return next(reversed(selected(results)), None)


def pseudo_labelled_cases(results: Results) -> list[Choice]:
    """Of the last selection, the least confident ones that were kept and the most confident that were dropped."""
    round_ = last_selected(results)
    if round_ is None:
        return []
    table = round_.selection.dropna(subset="confidence").sort_values("confidence", kind="stable")
    kept = table[table["decision"] == "kept"][:EACH]
    dropped = table[table["decision"] != "kept"][::-1][:EACH]
    words = {"least confident of the kept": kept, "most confident of the dropped": dropped}
    return [
        Choice(row.case, f"{what}, confidence {score(row.confidence)}", "pseudo-labels")
        for what, rows in words.items()
        for row in rows.itertuples()
    ]
