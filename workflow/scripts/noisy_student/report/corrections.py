"""What persons corrected of the pseudo-labels, how long that took, and how far readers agree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from noisy_student.cohort.labelled_organs import labels_in
from noisy_student.correct.table import CHANGED
from noisy_student.organs import Organ
from noisy_student.report.numbers import and_, capitalised, count, duration, score
from noisy_student.report.results import Results, Round
from noisy_student.report.table import Cell, Table, plain

SECONDS_PER_MINUTE = 60
SHOWN = ("round", "case", "reader", "counts", "state", "changed", "added_ml", "removed_ml", "slices", "minutes")


@dataclass(frozen=True)
class CorrectionsContent:
    """The section: a sentence for each round whose pseudo-labels were corrected, and the tables."""

    sentences: list[str]
    tables: list[Table]


def corrections(results: Results) -> CorrectionsContent | None:
    """The section on corrections; None where there are none."""
    corrected = [round_ for round_ in results.rounds if len(round_.corrections)]
    if not corrected:
        return None
    tables = [_each(results, corrected), _by_organ(results, corrected), _by_readers(results, corrected)]
    sentences = [f"{capitalised(in_words(round_, results.organs))}{_since(results, round_)}." for round_ in corrected]
    return CorrectionsContent(sentences, [table for table in tables if table])


def in_words(round_: Round, organs: Sequence[Organ]) -> str:
    """What was corrected of a round's pseudo-labels: "4 pseudo-labels of round 1 were corrected by hand (…)"."""
    used = round_.corrections[round_.corrections["is_used"] == "yes"]
    changed = used[used["state"] == CHANGED]
    often = changed["changed"].str.split(", ").explode().value_counts(sort=True)
    partly = used["organs"].map(labels_in).map(len).lt(len(organs)).sum()
    said = [f"{len(used) - len(changed)} confirmed, {len(changed)} changed"]
    said += [f"most often {often.index[0]}, in {often.iloc[0]}"] if len(often) else []
    said += [f"{partly} in some organs alone"] if partly else []
    said += [_work(used["minutes"])] if used["minutes"].sum() else []
    were = "was" if len(used) == 1 else "were"
    return f"{count(len(used), 'pseudo-label')} of {round_.name} {were} looked through by hand ({'; '.join(said)})"


def _work(minutes: pd.Series) -> str:
    """How long it took, and for how many of them that was written down if not for all."""
    known = minutes.count()
    of_known = "" if known == len(minutes) else f" on {known} of them"
    return f"in {duration(minutes.sum() * SECONDS_PER_MINUTE)} of work{of_known}"


def _since(results: Results, round_: Round) -> str:
    """In which rounds the corrected label maps were learned from, by the training sets that there are.

    Of a scan that was corrected in several rounds the last one before the round counts.
    """
    learned = [
        r.number for r in results.rounds if f"round_{round_.number}" in map(_corrected_in, r.corrected_label_maps)
    ]
    return f", and learned from as hand labels in round {' and '.join(map(str, learned))}" if learned else ""


def _corrected_in(label_map: str) -> str:
    """The folder of the round whose pseudo-label was corrected: `results/round_<k>/corrected/<name>.nii.gz`."""
    return Path(label_map).parent.parent.name


def _each(results: Results, corrected: list[Round]) -> Table:
    data = pd.concat([round_.corrections for round_ in corrected], ignore_index=True)
    data["counts"] = data["is_used"].map({"yes": "yes", "no": "no, another reader goes first"})
    looked_at = data["organs"].map(labels_in)
    data = data[list(SHOWN)].fillna({"reader": "", "changed": ""})
    if looked_at.map(len).lt(len(results.organs)).any():
        data["looked at"] = [
            and_([organ.name for organ in results.organs if organ.label in labels])
            if len(labels) < len(results.organs)
            else "all"
            for labels in looked_at
        ]
    caption = (
        "Against the label map that the round’s teacher made. Slices are axial ones in which any organ was changed; "
        "files and their SHA-256 are in corrections.tsv of the round."
    )
    return _formatted("corrections", "Corrected pseudo-labels", caption, data)


def _by_organ(results: Results, corrected: list[Round]) -> Table | None:
    used = [_of_used(round_, round_.corrections_by_organ) for round_ in corrected]
    data = pd.concat(used, ignore_index=True)
    changed = data[data["voxels"] > 0].groupby("organ")
    if not len(changed):
        return None
    table = changed[["added_ml", "removed_ml", "slices"]].sum()
    table.insert(0, "scans", changed.size())
    order = [organ.name for organ in results.organs if organ.name in table.index]
    data = table.loc[order].reset_index()
    return _formatted("corrections_by_organ", "Organs that were changed", "Of the corrections that count.", data)


def _of_used(round_: Round, table: pd.DataFrame) -> pd.DataFrame:
    used = round_.corrections[round_.corrections["is_used"] == "yes"]
    keys = set(zip(used["case"], used["reader"].fillna(""), strict=True))
    return table[[key in keys for key in zip(table["case"], table["reader"].fillna(""), strict=True)]]


def _by_readers(results: Results, corrected: list[Round]) -> Table | None:
    data = pd.concat([round_.corrections_by_readers for round_ in corrected], ignore_index=True).dropna(subset="DSC")
    if data.empty:
        return None
    table = data.groupby("organ")["DSC"].agg(["count", "mean", "min"])
    order = [organ.name for organ in results.organs if organ.name in table.index]
    data = table.loc[order].reset_index().set_axis(["organ", "pairs", "mean DSC", "least DSC"], axis=1)
    rows = [[Cell(row[0]), Cell(str(row[1])), *(Cell(score(value)) for value in row[2:])] for row in data.to_numpy()]
    caption = "DSC between two readers’ corrections of one scan; without pairs of which neither has the organ."
    name, title = "corrections_by_readers", "How far readers agree"
    return Table(name, title, caption, list(data.columns), rows, data)


FORMATS: dict[str, Callable[[float], str]] = {
    "added_ml": "{:.1f}".format,
    "removed_ml": "{:.1f}".format,
    "minutes": "{:g}".format,
}


def _formatted(name: str, title: str, caption: str, data: pd.DataFrame) -> Table:
    shown = data.assign(**{
        column: ["" if pd.isna(value) else FORMATS[column](value) for value in data[column]]
        for column in FORMATS.keys() & set(data)
    })  # fmt: skip
    headings = {"added_ml": "added, ml", "removed_ml": "removed, ml", "changed": "organs changed", "round": "of round"}
    table = plain(name, title, caption, shown.rename(columns=headings))
    return Table(name, title, caption, table.columns, table.rows, data)
