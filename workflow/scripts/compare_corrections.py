"""Compare corrected label maps of one round's pseudo-labels with what was handed out, and readers with each other."""

import argparse
from pathlib import Path

import pandas as pd

from noisy_student.cohort.labelled_organs import ORGANS, labels_in
from noisy_student.command import run
from noisy_student.correct.changes import agreement, changed_slices, changes, in_short, read_labels
from noisy_student.correct.found import name_of
from noisy_student.correct.notes import read_minutes
from noisy_student.correct.table import BY_ORGAN, BY_READERS, COMPARED
from noisy_student.files import sha256
from noisy_student.organs import FLARE22, from_json
from noisy_student.tables import read_table, write_table


def main() -> None:
    """Read the arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corrected", type=Path, required=True, help="corrected.tsv of the round")
    parser.add_argument("--pseudo-labels", type=Path, required=True, help="folder of the round's label maps")
    parser.add_argument("--minutes", type=Path, required=True, help="how long they took, if there is such a table")
    parser.add_argument("--organs", type=from_json, default=FLARE22, help="label table as JSON (default: FLARE22's)")
    parser.add_argument("--by-organ", type=Path, required=True)
    parser.add_argument("--by-readers", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    corrected = read_table(arguments.corrected, ["case", "reader", "label_map"]).fillna({"reader": ""})
    minutes = read_minutes(arguments.minutes)
    rows, by_organ, by_readers = [], [], []
    for case, own in corrected.groupby("case", sort=False):
        handed_out = arguments.pseudo_labels / f"{case}.nii.gz"
        before, voxel_ml = read_labels(handed_out)
        label_maps = {}
        for row in own.itertuples():
            after, labels = read_labels(Path(row.label_map))[0], labels_in(getattr(row, ORGANS))
            found = changes(before, after, voxel_ml, arguments.organs, labels)
            short = in_short(found, changed_slices(before, after, labels))
            by_organ.append(found.assign(case=case, reader=row.reader))
            rows.append(row._asdict() | short | {"handed_out_sha256": sha256(handed_out)})
            rows[-1]["minutes"] = minutes.get(name_of(case, row.reader))
            label_maps[row.reader] = after, labels
        by_readers += [row | {"case": case} for row in agreement(label_maps, arguments.organs)]
    write_table(pd.concat(by_organ)[list(BY_ORGAN)] if by_organ else pd.DataFrame(columns=BY_ORGAN), arguments.by_organ)
    write_table(pd.DataFrame(by_readers, columns=list(BY_READERS)), arguments.by_readers)
    write_table(pd.DataFrame(rows, columns=list(COMPARED)), arguments.output)


if __name__ == "__main__":
    run(main)
