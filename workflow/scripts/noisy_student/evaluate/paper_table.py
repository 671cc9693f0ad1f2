"""The layout of the paper's tables 3 and 4: one row per result, organs as columns, their mean last."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from noisy_student.errors import InputError
from noisy_student.evaluate.aggregate import organ_names
from noisy_student.organs import FLARE22, Organ

MEAN = "mean"


def paper_table(
    summaries: Mapping[str, pd.DataFrame],
    role: str,
    measure: str,
    set_name: str | None = None,
    organs: Sequence[Organ] = FLARE22,
) -> pd.DataFrame:
    """One row per named summary: name, n, the organs in the label table's order, mean; `organs` have abbreviations.

    Raises InputError where the role has several sets and none is named, or another.
    """
    rows, short = [], _abbreviations(organs)
    for name, summary in summaries.items():
        of_role = _of_set(summary[summary["role"] == role], set_name)
        chosen = of_role[of_role["measure"] == measure].set_index("label")
        means = {
            short.get(organ, organ): chosen["mean"].get(label)
            for label, organ in organ_names(summary[summary["label"] > 0]).items()
        }
        rows.append({"result": name, "n": int(chosen["n"].get(0, 0)), **means, MEAN: chosen["mean"].get(0)})
    return pd.DataFrame(rows)


def _abbreviations(organs: Sequence[Organ]) -> dict[str, str]:
    """By name, without those that several organs have: two would be one column."""
    times = Counter(organ.short for organ in organs)
    return {organ.name: organ.short for organ in organs if times[organ.short] == 1}


def _of_set(summary: pd.DataFrame, name: str | None) -> pd.DataFrame:
    sets = summary["set"].unique().tolist() if "set" in summary else []
    if name is None and len(sets) < 2:
        return summary
    if name not in sets:
        got = f"--set {name}" if name else "none named"
        raise InputError(f"one of the sets {', '.join(sets) or '(none)'}", got, "name one of these with --set")
    return summary[summary["set"] == name]


def as_markdown(table: pd.DataFrame) -> str:
    """The table as Markdown, scores with four digits and without the leading zero, as the paper prints them."""
    lines = [_line(table.columns), _line(["---"] * len(table.columns))]
    lines += [_line([_cell(value) for value in row]) for row in table.itertuples(index=False)]
    return "\n".join(lines) + "\n"


def _line(cells: list[str] | pd.Index) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(value: object) -> str:
    if value is None or pd.isna(value):
        return "–"
    return f"{value:.4f}".removeprefix("0") if isinstance(value, float) else str(value)
