"""What voxel confidence is worth: of the voxels that a teacher is sure of, how many are labelled rightly?"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from noisy_student.command import run
from noisy_student.evaluate.by_name import Table
from noisy_student.evaluate.calibration import voxels_of
from noisy_student.files import read_json
from noisy_student.model.label_files import LabelFiles
from noisy_student.model.voxel_confidence import unsure_voxels
from noisy_student.organs import FLARE22
from noisy_student.plan.preprocessing import Plan
from noisy_student.tables import read_table, write_table

LABELLED = [organ.label for organ in FLARE22]
# How sure the teacher must be: of an organ's voxel, and of background.
BOUNDS = ((0.0, 0.0), (0.5, 0.5), (0.7, 0.7), (0.9, 0.9), (0.99, 0.99), (0.5, 0.9), (0.5, 0.95), (0.5, 0.99))


def counts(truth: np.ndarray, labels: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """Voxels that are sure; of an organ in truth; that and sure; labelled an organ and sure; that and right; missed.

    Arrays are (z, y, x) on the network's grid. Missed: an organ in truth, surely labelled background.
    """
    organ, found = truth > 0, labels > 0
    parts = (sure, organ, organ & sure, found & sure, found & sure & (labels == truth), organ & sure & ~found)
    return np.array([part.sum() for part in parts])


def main() -> None:
    """Judge every unlabelled scan's voxels and write one row per pair of bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiment", type=Path, required=True, help="its round 1 has the labels; truths are known")
    parser.add_argument("--network", required=True, help="the name of its network")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    experiment, network = arguments.experiment, arguments.network
    results = experiment / "results"
    plan = Plan(read_json(results / f"plans/{network}/plans.json"), read_json(results / "plans/dataset.json"))
    cases = read_table(results / "cohort/cases.tsv", ["case", "role", "truth"])
    places = read_table(results / f"preprocessed/{network}.tsv", ["case", "preprocessed"])
    place_of = places.set_index("case").preprocessed
    total, voxels = {bounds: np.zeros(6) for bounds in BOUNDS}, 0
    for row in cases[cases.role == "unlabelled"].itertuples():
        files, image = LabelFiles(results / "round_1/pseudo_labels", row.case), experiment / place_of[row.case]
        truth, labels, confidence, _ = voxels_of(Path(row.truth), files, image, plan, Table(FLARE22, LABELLED))
        voxels += truth.size
        for bounds in BOUNDS:
            organ, background = bounds
            least = (background, *[organ] * plan.classes)
            total[bounds] += counts(truth, labels, ~unsure_voxels(confidence, labels, least))
    rows = [
        {
            "organ": organ_bound,
            "background": background_bound,
            "ignored": 1 - sure / voxels,
            "organ_labels_right": right / found,
            "organ_voxels_used": organ_sure / organ,
            "of_these_missed": missed / organ_sure,
        }
        for (organ_bound, background_bound), (sure, organ, organ_sure, found, right, missed) in total.items()
    ]
    write_table(pd.DataFrame(rows), arguments.output)


if __name__ == "__main__":
    run(main)
