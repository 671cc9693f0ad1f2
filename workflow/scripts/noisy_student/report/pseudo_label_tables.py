"""Which pseudo-labels were kept, why the others were dropped, and what they look like."""

from collections.abc import Sequence

import pandas as pd

from noisy_student.organs import Organ
from noisy_student.report.numbers import score
from noisy_student.report.results import Results, Round
from noisy_student.report.table import Cell, Table, plain


def decisions(results: Results) -> Table:
    """Counts per round, decision and reason."""
    rows = [_reasons(round_) for round_ in results.rounds if len(round_.selection)]
    data = pd.concat(rows) if rows else pd.DataFrame(columns=["round", "decision", "reason", "cases"])
    return plain("pseudo_label_decisions", "Kept and dropped, with reasons", "Counts of unlabelled scans.", data)


def _reasons(round_: Round) -> pd.DataFrame:
    table = round_.selection.assign(reason=round_.selection["reason"].fillna(""), round=round_.number)
    counts = table.groupby(["round", "decision", "reason"]).size().rename("cases").reset_index()
    return counts.sort_values(["decision", "cases"], ascending=False)


def sources(results: Results) -> Table:
    """The share that was dropped, per round and source of the scan."""
    tables = [_by_source(results, round_) for round_ in results.rounds if len(round_.selection)]
    data = pd.concat(tables) if tables else pd.DataFrame(columns=["round", "source", "cases", "dropped", "share"])
    return plain("pseudo_label_sources", "Dropped by source", "Share of a source's scans that was dropped.", data)


def _by_source(results: Results, round_: Round) -> pd.DataFrame:
    table = round_.selection.merge(results.cases[["case", "source"]], on="case", how="left")
    table = table.assign(source=table["source"].fillna("not given"), is_dropped=table["decision"] != "kept")
    counts = table.groupby("source")["is_dropped"].agg(["size", "sum"]).reset_index()
    counts.columns = ["source", "cases", "dropped"]
    counts.insert(0, "round", round_.number)
    return counts.assign(share=[f"{value:.0%}" for value in counts["dropped"] / counts["cases"]])


def organs(round_: Round, table_of_labels: Sequence[Organ]) -> Table:
    """Per organ: confidence, volume, and in how many pseudo-labels it is absent, over the kept cases."""
    kept = round_.selection.loc[round_.selection["decision"] == "kept", "case"]
    table = round_.pseudo_label_scores
    table = table[table["case"].isin(kept)]
    data = pd.DataFrame([_organ(table[table["label"] == organ.label], organ.name) for organ in table_of_labels])
    rows = [
        [Cell(organ.name, colour=organ.colour), Cell(score(row.mean_probability)), Cell(_ml(row.median_ml)),
         Cell(f"{_ml(row.lowest_ml)} to {_ml(row.highest_ml)}"), Cell(str(row.absent_cases))]
        for organ, row in zip(table_of_labels, data.itertuples(), strict=True)
    ]  # fmt: skip
    return Table(
        name=f"pseudo_label_organs_round_{round_.number}",
        title=f"Organs of the kept pseudo-labels, round {round_.number}",
        caption=f"Over the {len(kept)} kept cases; probability is the mean over cases of the mean maximum probability.",
        columns=["organ", "mean probability", "median volume, ml", "range, ml", "absent in"],
        rows=rows,
        data=data,
    )


def _ml(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _organ(rows: pd.DataFrame, name: str) -> dict[str, object]:
    present = rows[rows["voxels"] > 0]
    volumes = present["volume_ml"].astype(float)
    return {
        "organ": name,
        "mean_probability": present["mean_max_probability"].astype(float).mean(),
        "median_ml": volumes.median(),
        "lowest_ml": volumes.min(),
        "highest_ml": volumes.max(),
        "absent_cases": len(rows) - len(present),
    }


def confidence_and_truth(round_: Round) -> pd.DataFrame:
    """Per case: `confidence`, `decision`, and `DSC` of its pseudo-label (mean over organs) where the truth is known."""
    truth = round_.pseudo_label_truth.groupby("case")["DSC"].mean().reset_index()
    return round_.selection.merge(truth, on="case")[["case", "confidence", "decision", "DSC"]].dropna()


def spearman(table: pd.DataFrame) -> float:
    """Rank correlation of confidence and true DSC; missing for fewer than three cases."""
    if len(table) < 3:
        return float("nan")
    return table["confidence"].astype(float).rank().corr(table["DSC"].astype(float).rank())
