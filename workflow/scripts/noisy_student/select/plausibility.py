"""Organs that are unlike those of the labelled scans."""

from typing import Any

import pandas as pd

from noisy_student.configuration.selection_rules import Plausible
from noisy_student.sizes import three_digits


def implausible_organs(table: pd.DataFrame, labelled: pd.DataFrame, rule: Plausible) -> list[tuple[str, str, str]]:
    """(case, organ, what is wrong) for each organ that was found and is unlike the labelled scans' organs.

    `table` and `labelled` hold one row of `label_measures` per case and organ. An organ that no labelled scan has
    cannot be judged.
    """
    present = labelled[labelled.volume_ml > 0].groupby("organ")
    known = pd.DataFrame(
        {"least": present.volume_ml.min(), "most": present.volume_ml.max(), "stray": present.stray_share.max()}
    )
    found = table[(table.volume_ml > 0) & table.organ.isin(known.index)]
    judged = ((row, _what_is_wrong(row, known.loc[row.organ], rule)) for row in found.itertuples())
    return [(row.case, row.organ, wrong) for row, wrong in judged if wrong]


def _what_is_wrong(row: Any, known: pd.Series, rule: Plausible) -> str:
    """The first thing that is wrong; an organ that the scan's edge may have cut can be of any small volume."""
    least, most = known.least / rule.volume_factor, known.most * rule.volume_factor
    if rule.sides and row.wrong_side:
        return "on the wrong side"
    if row.volume_ml > most:
        return f"{three_digits(row.volume_ml)} ml, above {three_digits(most)}"
    if row.volume_ml < least and not row.touches_edge:
        return f"{three_digits(row.volume_ml)} ml, below {three_digits(least)}"
    if row.stray_share > max(rule.stray_share, known.stray):
        return f"{row.stray_share:.0%} of it lies apart"
    return ""
