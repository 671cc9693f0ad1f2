"""A round whose rules keep no pseudo-label stops before it has written a selection: what the selection would be."""

from typing import Any

import pandas as pd

COLUMNS = ["case", "confidence", "decision", "reason"]


def confidences(scores: pd.DataFrame, reduce: str = "mean") -> pd.DataFrame:
    """Per case, its `confidence` (mean or minimum of the found organs' mean maximum probabilities) and `organs`."""
    found = scores.dropna(subset="mean_max_probability").astype({"mean_max_probability": float})
    by_case = found.groupby("case")["mean_max_probability"]
    reduced = by_case.mean() if reduce == "mean" else by_case.min()
    cases = pd.Index(sorted(scores["case"].unique()), name="case")
    return pd.DataFrame({"confidence": reduced, "organs": by_case.size()}).reindex(cases).fillna(0).reset_index()


def all_dropped(scores: pd.DataFrame, rules: dict[str, Any]) -> pd.DataFrame:
    """The selection of a round whose rules drop every case; without rows where they would keep one or are unknown."""
    if scores.empty or not rules:
        return pd.DataFrame(columns=COLUMNS)
    table = confidences(scores, rules["reduce"])
    few = table["organs"] < rules["minimum_organs"]
    if not (few | (table["confidence"] < rules["threshold"])).all():
        return pd.DataFrame(columns=COLUMNS)
    reasons = {True: f"fewer than {rules['minimum_organs']} organs found"}
    table["reason"] = few.map(reasons | {False: f"confidence below {rules['threshold']:g}"})
    return table.assign(decision="dropped")[COLUMNS]
