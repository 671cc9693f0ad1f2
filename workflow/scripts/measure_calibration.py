"""Count how often a teacher is right at each confidence, voxel by voxel, where the truth of a scan is known."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from noisy_student.cohort.labelled_organs import labelled_by_case
from noisy_student.command import run
from noisy_student.evaluate.by_name import Table
from noisy_student.evaluate.calibration import as_table, count_right, voxels_of
from noisy_student.files import read_json
from noisy_student.model.label_files import LabelFiles
from noisy_student.organs import from_json
from noisy_student.parallel import in_threads
from noisy_student.plan.preprocessing import Plan
from noisy_student.tables import read_table, write_table


def main() -> None:
    """Count the voxels of all unlabelled scans whose truth is known, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="case table, with the truth of unlabelled scans")
    parser.add_argument("--pseudo-labels", type=Path, required=True, help="folder of the teacher's label maps")
    parser.add_argument("--preprocessed", type=Path, required=True, help="table of the preprocessed scans")
    parser.add_argument("--plans", type=Path, required=True, help="plans of the network whose grid they have")
    parser.add_argument("--description", type=Path, required=True, help="the dataset.json of these plans")
    parser.add_argument("--organs", type=from_json, required=True, help="label table as JSON")
    parser.add_argument("--cores", type=int, default=1, help="scans counted at the same time")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    plan, organs = Plan(read_json(arguments.plans), read_json(arguments.description)), arguments.organs
    cases = read_table(arguments.cases, ["case", "role", "truth"])
    judged = cases[(cases.role == "unlabelled") & cases.truth.notna()]
    labelled = labelled_by_case(judged, [organ.label for organ in organs])
    place_of = read_table(arguments.preprocessed, ["case", "preprocessed"]).set_index("case").preprocessed

    def counted(row: pd.Series) -> np.ndarray:
        files, known = LabelFiles(arguments.pseudo_labels, row.case), labelled[row.case]
        table = Table(organs, known, is_truths=True)
        voxels = voxels_of(Path(row.truth), files, Path(place_of[row.case]), plan, table)
        marked = [organ.label for organ in organs if organ.name in files.volumes_ml()]
        return count_right(voxels, len(organs) + 1, known, marked, files.has_undecided())

    counts = in_threads(counted, [row for _, row in judged.iterrows()], arguments.cores, "scans counted")
    write_table(as_table(sum(counts), organs), arguments.output)


if __name__ == "__main__":
    run(main)
