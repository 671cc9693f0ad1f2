"""The share of pseudo-labels that was dropped, by source, shape and spacing: is a kind of scan lost?"""

from dataclasses import replace

import pandas as pd

from noisy_student.report.results import Results, Round
from noisy_student.report.table import Table, plain
from noisy_student.sizes import three_digits

MOST_RANGES = 4
COLUMNS = ["round", "by", "scans", "cases", "dropped", "share"]


def groups(results: Results) -> Table:
    """One row per group of scans with its rounds side by side; in the data one row per round and group."""
    tables = [_of_round(results, round_) for round_ in results.rounds if len(round_.selection)]
    data = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)
    caption = (
        f"Share of a group's scans that was dropped. Shapes and spacings in up to {MOST_RANGES} groups of like size."
    )
    shown = plain("pseudo_label_groups", "Dropped by source, shape and spacing", caption, _side_by_side(data))
    return replace(shown, data=data)


def _side_by_side(data: pd.DataFrame) -> pd.DataFrame:
    dropped = data["dropped"].astype(str) + " of " + data["cases"].astype(str) + " (" + data["share"] + ")"
    keys = ["by", "scans"]
    shown = data[keys].drop_duplicates()
    for number, rows in data.assign(text=dropped).groupby("round"):
        shown = shown.merge(rows.set_index(keys)["text"].rename(f"round {number}"), "left", on=keys)
    return shown


def _of_round(results: Results, round_: Round) -> pd.DataFrame:
    table = round_.selection.merge(results.cases.drop_duplicates("case"), on="case", how="left")
    kinds = {
        "source": table["source"].fillna("not given"),
        "slices": ranges(table["size_z"], "slices"),
        "slice spacing": ranges(table["spacing_z_mm"], "mm"),
        "pixel spacing": ranges(table["spacing_x_mm"], "mm"),
    }
    is_dropped = table["decision"] != "kept"
    return pd.concat([_shares(is_dropped, kind, by) for by, kind in kinds.items()]).assign(round=round_.number)[COLUMNS]


def _shares(is_dropped: pd.Series, kind: pd.Series, by: str) -> pd.DataFrame:
    counts = is_dropped.groupby(kind, sort=False, observed=True).agg(["size", "sum"]).sort_index()
    shares = [f"{share:.0%}" for share in counts["sum"] / counts["size"]]
    return pd.DataFrame({"by": by, "scans": counts.index.astype(str), "cases": counts["size"].to_numpy(),
                         "dropped": counts["sum"].to_numpy(), "share": shares})  # fmt: skip


def ranges(values: pd.Series, unit: str) -> pd.Series:
    """Each value's range, as an ordered category such as "80 to 120 slices"; quantiles bound the ranges."""
    values = values.astype(float)
    if values.isna().all():
        return pd.Series(pd.Categorical(["not given"] * len(values)), index=values.index)
    group = pd.qcut(values.rank(method="max"), MOST_RANGES, labels=False, duplicates="drop")
    # Equal values stay together: a group begins where its least value first occurs.
    group = group.groupby(values).transform("min").fillna(-1)
    names = values.groupby(group).agg(lambda own: _range(own.min(), own.max(), unit))
    order = list(dict.fromkeys(names.sort_index()))
    return pd.Series(pd.Categorical(group.map(names), order, ordered=True), index=values.index)


def _range(low: float, high: float, unit: str) -> str:
    if pd.isna(low):
        return "not given"
    low_text, high_text = three_digits(low), three_digits(high)
    return f"{low_text} {unit}" if low_text == high_text else f"{low_text} to {high_text} {unit}"
