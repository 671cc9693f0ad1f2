"""What a student learns from its pseudo-labels: how soft its targets are, and what is left out of the loss."""

import pandas as pd

from noisy_student.report.numbers import MISSING
from noisy_student.report.results import Results, Round
from noisy_student.report.settings import targets
from noisy_student.report.table import Cell, Table
from noisy_student.train.origins import PSEUDO


def pseudo_labels(round_: Round) -> pd.DataFrame:
    """The rows of the round's `learned_from.tsv` that are of pseudo-labelled scans; none where nothing was trained."""
    return round_.learned_from[round_.learned_from["origin"] == PSEUDO]


def kind(round_: Round) -> str:
    """Of the example that shows what the round leaves out."""
    return f"left out in round {round_.number}"


def shares_left_out(round_: Round) -> pd.Series:
    """Share of its voxels that is left out of the loss, by case, the smallest first; of cases that have any."""
    sums = pseudo_labels(round_).groupby("case")[["left_out", "voxels"]].sum()
    sums = sums[sums["left_out"] > 0]
    return (sums["left_out"] / sums["voxels"]).sort_values(kind="stable")


def learned(results: Results, round_: Round) -> Table | None:
    """Per organ, and of background; None where all is learned from and hard, or nothing is known of it."""
    table = pseudo_labels(round_)
    is_soft = bool((table["mean_share"] < 1).any())
    if not is_soft and not table["left_out"].any():
        return None
    shown = [*((organ.label, organ.name, organ.colour) for organ in results.organs), (0, "background", "")]
    data = pd.DataFrame([_label(table[table["label"] == label], name) for label, name, _ in shown])
    scans = table["case"].nunique()
    columns = {"left out": data["left_out_share"].map(_per_cent), "in scans": data["scans_left_out"].map(str)}
    if is_soft:
        columns |= {
            "soft": data["soft_share"].map(_per_cent),
            "mean share of the first": data["mean_share"].map(_per_cent),
        }
    rows = [
        [Cell(name, colour=colour), *map(Cell, texts)]
        for (_, name, colour), texts in zip(shown, zip(*columns.values(), strict=True), strict=True)
    ]
    caption = (
        f"Shares of all voxels of a label in the {scans} pseudo-labelled scans, on the network’s grid. Left out of the "
        "loss: voxels that the teacher was not sure of, masked organs with the background near them, all background "
        "where the teacher does not mark every organ."
    )
    if is_soft:
        caption += (
            " Soft: of the voxels that are learned from, those whose more probable class has less than 95% of the "
            "two most probable classes’ probability; beside it the mean of that share."
        )
    if targets(results.run, round_.number) == "online":
        caption += " As the labels were when the training began; its teacher learned along."
    return Table(
        name=f"pseudo_label_learned_from_round_{round_.number}",
        title=f"What the student learned from, round {round_.number}",
        caption=caption,
        columns=["organ", *columns],
        rows=rows,
        data=data,
    )


def _label(rows: pd.DataFrame, name: str) -> dict[str, object]:
    """Sums of a label over scans; shares that are undefined are missing."""
    voxels, left_out, soft = (int(rows[column].sum()) for column in ("voxels", "left_out", "soft"))
    in_loss = rows["voxels"] - rows["left_out"]
    learned_from = int(in_loss.sum())
    return {
        "organ": name,
        "voxels": voxels,
        "left_out": left_out,
        "left_out_share": left_out / voxels if voxels else None,
        "scans_left_out": int((rows["left_out"] > 0).sum()),
        "soft": soft,
        "soft_share": soft / learned_from if learned_from else None,
        "mean_share": (rows["mean_share"] * in_loss).sum() / learned_from if learned_from else None,
    }


def _per_cent(share: float | None) -> str:
    return MISSING if pd.isna(share) else f"{share:.1%}"
