"""The rules applied: each pseudo-labelled scan is kept or dropped, each of its organs used or masked, with reasons."""

import math
from typing import Any

import numpy as np
import pandas as pd

from noisy_student.configuration.selection_rules import Plausible, Rule, Threshold, Top
from noisy_student.errors import InputError
from noisy_student.select.plausibility import implausible_organs
from noisy_student.select.scores import (
    DISAGREEMENTS,
    LOWER_IS_BETTER,
    check_scores,
    is_by_hand,
    judged_singly,
    reduced,
    score_names,
)
from noisy_student.select.strata import small_ones_together, strata
from noisy_student.train.origins import CORRECTED

# Of a scan that was corrected by hand, which no rule is asked about, the decision is `CORRECTED`.
KEPT, DROPPED = "kept", "dropped"
ALL_PASSED = "passed every rule"


class Decisions:
    """What the rules have found so far: reasons to drop a scan, and organs to mask in it."""

    def __init__(self, table: pd.DataFrame, cases: pd.DataFrame, labelled: pd.DataFrame) -> None:
        """One row per case and organ of scores; the case table; one row per labelled case and organ of measures."""
        self.table, self.cases, self.labelled = table, cases.set_index("case"), labelled
        self.reasons: dict[str, list[str]] = {case: [] for case in sorted(table.case.unique())}
        self.masked: dict[str, dict[str, str]] = {case: {} for case in self.reasons}

    @property
    def left(self) -> list[str]:
        """The scans that no rule has dropped yet."""
        return [case for case, reasons in self.reasons.items() if not reasons]

    def scores(self) -> pd.DataFrame:
        """The scores with `masked`, the number of organs that were masked so far."""
        return self.table.assign(masked=self.table.case.map({case: len(some) for case, some in self.masked.items()}))

    def apply(self, rule: Rule) -> None:
        """Take note of what a rule finds."""
        match rule:
            case Threshold(action="drop"):
                self._drop_by_threshold(rule)
            case Threshold():
                rows = judged_singly(self.table, rule.score, rule.over).itertuples()
                self._note((row.case, row.organ, _out_of_bounds(rule, getattr(row, rule.score))) for row in rows)
            case Top():
                self._drop_all_but_top(rule)
            case Plausible(action="mask"):
                self._note(implausible_organs(self.table, self.labelled, rule))
            case Plausible():
                for name, organ, wrong in implausible_organs(self.table, self.labelled, rule):
                    self.reasons[name].append(f"{organ}: {wrong}")

    def _note(self, found: Any) -> None:
        for case, organ, wrong in found:
            if wrong:
                self.masked[case].setdefault(organ, wrong)

    def _drop_by_threshold(self, rule: Threshold) -> None:
        values = self._values(rule)
        if rule.score in DISAGREEMENTS and values.isna().all():
            return  # The first round: there is no earlier teacher to disagree with.
        for case, value in values.items():
            if wrong := _out_of_bounds(rule, value):
                self.reasons[case].append(wrong)

    def _values(self, rule: Threshold | Top) -> pd.Series:
        """The score of each case; a rule over one organ says nothing of scans in which that is labelled by hand."""
        values = reduced(self.scores(), rule.score, rule.over)
        return values.drop(self.table.case[is_by_hand(self.table) & (self.table.organ == rule.over)])

    def _is_empty(self, cases: pd.Index) -> np.ndarray:
        """Of each case whether nothing was found in it, and no rule has dropped it."""
        found = self.table.case[self.table.voxels > 0].unique()
        return cases.isin(self.left) & ~cases.isin(found)

    def _drop_all_but_top(self, rule: Top) -> None:
        values = self._values(rule)
        if values.isna().all():
            return
        values = values[~(values.isna() & self._is_empty(values.index))]
        ascending = rule.score in LOWER_IS_BETTER
        best_first = values.sort_values(ascending=ascending, na_position="last", kind="stable").index
        stratum = strata(self.table, self.cases, rule.per)[values.index]
        if rule.per == "organs":
            stratum = small_ones_together(stratum, rule.scans or _fewest_of(rule.share))
        sizes = stratum.value_counts()
        quota = {name: rule.scans or _share_of(int(size), rule.share) for name, size in sizes.items()}
        left, taken = set(self.left), dict.fromkeys(quota, 0)
        for case in best_first:
            if case not in left:
                continue
            taken[stratum[case]] += 1
            if taken[stratum[case]] > quota[stratum[case]]:
                how_many = f"{rule.scans}" if rule.scans else f"{100 * rule.share:.4g} %"
                place = f" of {rule.per} {stratum[case]}" if rule.per else ""
                self.reasons[case].append(f"{_name(rule)} not among the best {how_many}{place}")


def _share_of(scans: int, share: float) -> int:
    """A share of so many scans, rounded up: of 25, 0.28 are 7, though as binary numbers their product is more."""
    return math.ceil(round(share * scans, 6))


def _fewest_of(share: float) -> int:
    """Of how many scans a share, rounded up, is one scan or more, and leaves one out."""
    return math.ceil(round(1 / min(share, 1 - share), 6)) if share < 1 else 1


def _name(rule: Threshold | Top) -> str:
    name = rule.score.replace("_", " ")
    return name if rule.over == "mean" else f"{name} ({rule.over})"


def _out_of_bounds(rule: Threshold, value: float) -> str:
    """What is wrong with a score; an undefined one cannot be trusted."""
    if pd.isna(value):
        return f"{_name(rule)} undefined"
    if rule.at_least is not None and value < rule.at_least:
        return f"{_name(rule)} below {rule.at_least:g}"
    return f"{_name(rule)} above {rule.at_most:g}" if rule.at_most is not None and value > rule.at_most else ""


def select(table: pd.DataFrame, cases: pd.DataFrame, labelled: pd.DataFrame, rules: list[Rule]) -> pd.DataFrame:
    """Decide on every case of the scores (one row per case and organ).

    Returns one row per case, most confident first: `confidence` (mean over the organs found of their mean maximum
    probability), `organs` (how many were found, or are labelled by hand), `decision`, `reason` (all reasons), `masked`
    (organs left out of the loss), `mask_reason`, and each score's mean, minimum and maximum over organs. Raises
    InputError for scores that are not finite.
    """
    found = ((table.voxels > 0) | is_by_hand(table)).groupby(table.case).sum()
    table = table.assign(organs=table.case.map(found))
    check_scores(table)
    decisions = Decisions(table, cases, labelled)
    for rule in rules:
        decisions.apply(rule)
    rows = []
    for case, reasons in decisions.reasons.items():
        masked = decisions.masked[case]
        why = "; ".join(f"{organ}: {wrong}" for organ, wrong in masked.items())
        rows.append((case, DROPPED if reasons else KEPT, "; ".join(reasons or [ALL_PASSED]), ", ".join(masked), why))
    columns = ["case", "decision", "reason", "masked", "mask_reason"]
    result = pd.DataFrame(rows, columns=columns).merge(_summary(table), on="case")
    result.insert(1, "confidence", result.mean_max_probability_mean.fillna(0))
    result.insert(2, "organs", result.case.map(found))
    return in_order_of_confidence(result)


def in_order_of_confidence(table: pd.DataFrame) -> pd.DataFrame:
    """Decisions with the most confident first."""
    return table.sort_values(["confidence", "case"], ascending=[False, True], ignore_index=True)


def is_learned(table: pd.DataFrame) -> pd.Series:
    """Of each decision whether a student learns from the scan."""
    return table.decision.isin((KEPT, CORRECTED))


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    """Each score's mean, minimum and maximum over the organs that have one, per case."""
    names = [name for name in score_names(table) if name != "organs"]
    summary = table.groupby("case")[names].agg(["mean", "min", "max"])
    summary.columns = [f"{name}_{what}" for name, what in summary.columns]
    return summary.reset_index()


def stop_if_nothing_is_kept(table: pd.DataFrame) -> None:
    """A round without pseudo-labels would be its teacher again: stop and say which rules dropped the most."""
    if is_learned(table).any():
        return
    reasons = table.reason.value_counts()
    first = "; ".join(f"{count} × {reason}" for reason, count in reasons.head(3).items())
    best = f"the most confident has {table.confidence.max():.3f}; " if len(table) else ""
    raise InputError(
        "pseudo-labelled scans to learn from",
        f"all {len(table)} were dropped; {best}{first}",
        "loosen the rules of `selection`, or take this round out of `rounds`",
    )
