"""Which pseudo-labels were kept, why the others were dropped, and what they look like."""

from collections import Counter
from dataclasses import replace

import pandas as pd

from noisy_student.report.numbers import MISSING, score
from noisy_student.report.pseudo_label_volumes import kept_organs, masked_organs
from noisy_student.report.results import Results, Round
from noisy_student.report.table import Cell, Table, plain
from noisy_student.sizes import three_digits

MOST_REASONS = 8


def decisions(results: Results) -> Table:
    """Counts per round, decision and reason; the page shows the most frequent reasons, the file all."""
    rows = [_reasons(round_) for round_ in results.rounds if len(round_.selection)]
    data = pd.concat(rows) if rows else pd.DataFrame(columns=["round", "decision", "reason", "scans"])
    shown = data.groupby(["round", "decision"], sort=False).head(MOST_REASONS)
    caption = "Counts of unlabelled scans; a dropped one counts for each of its reasons."
    if len(shown) < len(data):
        caption += f" The {MOST_REASONS} most frequent reasons of each decision."
    return replace(plain("pseudo_label_decisions", "Kept and dropped, with reasons", caption, shown), data=data)


def _reasons(round_: Round) -> pd.DataFrame:
    table = round_.selection.assign(reason=round_.selection["reason"].fillna("").str.split("; "), round=round_.number)
    counts = table.explode("reason").groupby(["round", "decision", "reason"]).size().rename("scans").reset_index()
    return counts.sort_values(["decision", "scans"], ascending=False, kind="stable")


def organs(results: Results, round_: Round) -> Table:
    """Per organ of the kept cases: confidence, volume beside the labelled scans', where it is absent or masked."""
    kept = round_.kept
    masked = Counter(organ for organs in masked_organs(kept).values() for organ in organs)
    table, labelled = kept_organs(round_), results.labelled_measures
    data = pd.DataFrame([_organ(table[table["label"] == organ.label], organ.name) for organ in results.organs])
    data["masked_cases"] = [masked[organ.name] for organ in results.organs]
    data["labelled_median_ml"] = [_median_ml(labelled[labelled["label"] == organ.label]) for organ in results.organs]
    rows = [
        [Cell(organ.name, colour=organ.colour), Cell(score(row.mean_probability)), Cell(_ml(row.median_ml)),
         Cell(f"{_ml(row.lowest_ml)} to {_ml(row.highest_ml)}"), Cell(_ml(row.labelled_median_ml)),
         Cell(MISSING if pd.isna(row.absent_cases) else f"{row.absent_cases:.0f}"), Cell(str(row.masked_cases))]
        for organ, row in zip(results.organs, data.itertuples(), strict=True)
    ]  # fmt: skip
    return Table(
        name=f"pseudo_label_organs_round_{round_.number}",
        title=f"Organs of the kept pseudo-labels, round {round_.number}",
        caption=f"Over the {len(kept)} kept cases; probability is the mean over cases of the mean maximum probability. "
        "Masked organs are left out of the loss and of the other columns.",
        columns=["organ", "mean probability", "median volume, ml", "range, ml", "labelled scans’ median, ml",
                 "absent in", "masked in"],
        rows=rows,
        data=data,
    )  # fmt: skip


def _median_ml(rows: pd.DataFrame) -> float:
    volumes = rows["volume_ml"].astype(float)
    return volumes[volumes > 0].median()


def _ml(value: float) -> str:
    return MISSING if pd.isna(value) else three_digits(value)


def _organ(rows: pd.DataFrame, name: str) -> dict[str, object]:
    present = rows[rows["voxels"] > 0]
    volumes = present["volume_ml"].astype(float)
    return {
        "organ": name,
        "mean_probability": present["mean_max_probability"].astype(float).mean(),
        "median_ml": volumes.median(),
        "lowest_ml": volumes.min(),
        "highest_ml": volumes.max(),
        "absent_cases": len(rows) - len(present) if len(rows) else None,
    }
