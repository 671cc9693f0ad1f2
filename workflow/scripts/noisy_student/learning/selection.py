"""Which pseudo-labelled scans a student may learn from, and why."""

import math
from typing import Any

import pandas as pd

from noisy_student.configuration import Selection
from noisy_student.errors import InputError

KEPT, DROPPED = "kept", "dropped"


def select(scores: pd.DataFrame, rules: Selection) -> pd.DataFrame:
    """Decide on every case of the scores (one row per case and organ).

    Returns case, confidence, organs (how many were found), decision and reason; most confident first. The
    confidence is the mean, or the minimum, over the organs found of their mean maximum probability; a scan in
    which no organ was found has confidence 0. Of the cases that pass, at most `keep_fraction` of all are kept.
    """
    found = scores.dropna(subset="mean_max_probability")
    by_case = found.groupby("case").mean_max_probability
    reduced = by_case.mean() if rules.reduce == "mean" else by_case.min()
    cases = pd.Index(sorted(scores.case.unique()), name="case")
    table = pd.DataFrame({"confidence": reduced, "organs": by_case.size()}).reindex(cases).fillna(0).reset_index()
    table["organs"] = table.organs.astype(int)
    table = table.sort_values(["confidence", "case"], ascending=[False, True], ignore_index=True)
    most = math.ceil(rules.keep_fraction * len(table))
    table["reason"] = [_why_dropped(row, rules) for row in table.itertuples()]
    passed = table.index[table.reason == ""]
    table.loc[passed[most:], "reason"] = f"not among the most confident {rules.keep_fraction:.0%}"
    table.loc[passed[:most], "reason"] = f"confidence at least {rules.threshold:g}"
    table["decision"] = [KEPT if case in passed[:most] else DROPPED for case in table.index]
    return table[["case", "confidence", "organs", "decision", "reason"]]


def _why_dropped(case: Any, rules: Selection) -> str:
    """Why a case is dropped whatever the others are like; empty if it is not."""
    if case.organs < rules.minimum_organs:
        return f"fewer than {rules.minimum_organs} organs found"
    return f"confidence below {rules.threshold:g}" if case.confidence < rules.threshold else ""


def stop_if_nothing_is_kept(table: pd.DataFrame, rules: Selection) -> None:
    """A round without pseudo-labels would be its teacher again: stop and say what the confidences were."""
    if (table.decision == KEPT).any():
        return
    best = f"the most confident of {len(table)} is {table.confidence.max():.3f}" if len(table) else "no scans at all"
    raise InputError(
        f"pseudo-labelled scans with a confidence of at least {rules.threshold:g}",
        best,
        "lower `selection.threshold`, or take this round out of `rounds`",
    )
