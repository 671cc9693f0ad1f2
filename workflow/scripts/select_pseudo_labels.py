"""Decide which pseudo-labels of a round are kept and which of their organs are used, with every reason.

Those of labelled scans, in which only some organs are labelled, are decided on apart, by what the teacher says of the
others: neither takes another's place. Nothing is decided on what was corrected by hand: of partly corrected scans the
same holds as of partly labelled ones.
"""

import argparse
from pathlib import Path

from noisy_student.command import run
from noisy_student.configuration.selection_rules import SELECTION
from noisy_student.correct.table import corrections_of
from noisy_student.select.corrected import with_corrected
from noisy_student.select.decisions import is_learned, select, stop_if_nothing_is_kept
from noisy_student.select.scores import without_hand_labelled
from noisy_student.shards import gather
from noisy_student.tables import read_table, write_table

MEASURED_TWICE = ["organ", "volume_ml"]


def main() -> None:
    """Read the arguments and select."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--scores", type=Path, required=True, help="scores of all pseudo-labels of the round")
    parser.add_argument("--measures", type=Path, nargs="+", required=True, help="shards of their label maps' measures")
    parser.add_argument("--labelled", type=Path, required=True, help="the labelled scans' measures")
    parser.add_argument("--rules", type=SELECTION.validate_json, required=True, help="the rules, as JSON")
    parser.add_argument("--filling", type=Path, help="where the decisions on labelled scans go, if there are such")
    parser.add_argument(
        "--corrected", type=Path, nargs="*", default=[], help="corrected.tsv of earlier rounds, in order"
    )
    parser.add_argument("--dropped", type=Path, required=True, help="where the table goes if nothing is kept")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    scores = read_table(arguments.scores, ["case", "label", "mean_max_probability", "voxels"])
    measures = gather(arguments.measures, scores.case.unique()).drop(columns=MEASURED_TWICE, errors="ignore")
    cases = read_table(arguments.cases, ["case", "role", "source", "spacing_z_mm"])
    scores = scores.merge(measures, on=["case", "label"])
    is_filled = scores.case.isin(cases.case[cases.role == "labelled"])
    labelled = read_table(arguments.labelled)
    corrections = corrections_of(arguments.corrected)
    is_corrected = scores.case.isin(corrections.case)
    parts = scores[~is_filled & ~is_corrected], without_hand_labelled(scores[is_filled], cases)
    table, filling = (select(part, cases, labelled, arguments.rules) for part in parts)
    if is_corrected.any():
        table = with_corrected(table, scores[is_corrected], corrections, cases, labelled, arguments.rules)
    arguments.dropped.unlink(missing_ok=True)
    if not (filling.decision == "kept").any():
        if not is_learned(table).any():
            write_table(table, arguments.dropped)
        stop_if_nothing_is_kept(table)
    if arguments.filling:
        write_table(filling, arguments.filling)
    write_table(table, arguments.output)


if __name__ == "__main__":
    run(main)
