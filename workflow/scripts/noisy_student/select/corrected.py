"""Scans whose pseudo-labels were corrected by hand: nothing is decided on what a hand has labelled."""

import pandas as pd

from noisy_student.cohort.labelled_organs import ORGANS, labels_in
from noisy_student.configuration.selection_rules import Rule
from noisy_student.correct.table import in_words
from noisy_student.select.decisions import in_order_of_confidence, select
from noisy_student.select.scores import without_hand_labelled
from noisy_student.train.origins import CORRECTED


def with_corrected(
    table: pd.DataFrame,
    scores: pd.DataFrame,
    corrections: pd.DataFrame,
    cases: pd.DataFrame,
    labelled: pd.DataFrame,
    rules: list[Rule],
) -> pd.DataFrame:
    """The decisions of `table` with rows for corrected scans, which have `scores`.

    The decision on a scan in which all organs were corrected is that; on others rules decide by the other organs alone,
    and apart, so that they take no other scan's place.
    """
    scored = scores.groupby("case").label.agg(set)
    organs = zip(corrections.case, corrections[ORGANS].map(labels_in), strict=True)
    is_whole = scores.case.isin([case for case, corrected in organs if corrected >= scored.get(case, set())])
    whole = select(scores[is_whole], cases, labelled, [])
    words = {row.case: in_words(row) for row in corrections.itertuples()}
    whole = whole.assign(decision=CORRECTED, reason=whole.case.map(words))
    partly = select(without_hand_labelled(scores[~is_whole], corrections), cases, labelled, rules)
    return in_order_of_confidence(pd.concat([part for part in (table, whole, partly) if len(part)]))
