"""The page of a round's list: what to correct first, where to look, and how good the list was where that is known."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from noisy_student import __version__
from noisy_student.files import write_text
from noisy_student.report.example import Panel
from noisy_student.report.numbers import score
from noisy_student.report.rendering import rendered, write_beside
from noisy_student.report.table import Cell, Table, plain
from noisy_student.review.places import ml_text

PAGE = "review.html"
# Rows of the list in the page; the file has all.
SHOWN = 50
LISTED = ["place", "scan", "gain (ml)", "at stake (ml)", "in doubt (ml)", "scans alike", "confidence"]


@dataclass(frozen=True)
class Shown:
    """A scan with pictures: what to look at, a line each, and the folder that is handed out, if one is."""

    case: str
    title: str
    lines: list[str]
    panels: list[list[Panel]]
    folder: str = ""


@dataclass(frozen=True)
class Review:
    """Everything that the page shows. `listed`: the whole list; `quality` is None where no truth is known."""

    round_number: int
    listed: pd.DataFrame
    first: list[Shown]
    contradicted: pd.DataFrame
    labelled: int
    hand_labels: list[Shown]
    quality: pd.DataFrame | None


def write_page(review: Review, folder: Path) -> None:
    """Write the page into a folder, and its tables beside it."""
    tables = {"list": list_table(review.listed), "hand_labels": hand_label_table(review)}
    if review.quality is not None:
        tables["quality"] = quality_table(review.quality)
    write_beside(folder / PAGE, tables.values(), [])
    html = rendered(
        "review.html.j2",
        review=review,
        tables=tables,
        facts=[
            ("round", str(review.round_number)),
            ("scans", str(len(review.listed))),
            ("made by", f"flare-noisy-student {__version__}"),
        ],
    )
    write_text(folder / PAGE, html)


def list_table(listed: pd.DataFrame) -> Table:
    """The whole list."""
    rows = [
        [Cell(str(row.place)), Cell(row.case), *map(Cell, map(ml_text, (row.gain_ml, row.stake_ml, row.doubt_ml))),
         Cell(f"{row.alike:.1f}"), Cell(score(row.confidence))]
        for row in listed.head(SHOWN).itertuples()
    ]  # fmt: skip
    caption = (
        "Each next scan is the one whose correction adds most: what is at stake in it, and in scans that are like it "
        "as much as they are alike, less what scans above it on the list already stand for. In doubt: over all voxels, "
        "the share by which the teacher was not sure of their label. At stake: the same, more where it was less sure "
        "of the scan’s organs than of those of others, and what changed since the rounds before."
    )
    return Table("list", "Which to correct first", caption, LISTED, rows, listed)


def hand_label_table(review: Review) -> Table:
    """The held-out scans, the most contradicted first."""
    caption = (
        f"{len(review.contradicted)} of {review.labelled} scans labelled by hand were held out by a fold of the "
        "teacher. Contradiction: by how far the DSC of organs is below what is usual for them, added up over organs; "
        "an organ that is found, but not labelled, counts 1."
    )
    return plain("hand_labels", "Hand labels that were contradicted", caption, review.contradicted.round(3))


def quality_table(quality: pd.DataFrame) -> Table:
    """How good the list was."""
    columns = ["order", "scans", "first", "worst among them", "by chance", "of all that is wrong", "rank correlation"]
    rows = [
        [Cell(row.order), Cell(str(row.scans)), Cell(str(row.first)), Cell(f"{row.share_of_worst:.0%}"),
         Cell(f"{row.by_chance:.0%}"), Cell(f"{row.share_of_wrong:.0%}"), Cell(score(row.rank))]
        for row in quality.itertuples()
    ]  # fmt: skip
    caption = (
        "Against the truth that was kept aside, which the list never saw. Worst among them: of as many scans with the "
        "most wrong volume, the share that is among the first. Of organs that are judged in the truth’s slices alone, "
        "the wrong volume is what their DSC there would mean for all of the organ."
    )
    return Table("quality", "How good the list was", caption, columns, rows, quality)
