"""Find out on the scans that a round's folds held out for which organs keeping the largest piece alone helps."""

import argparse
import json
from pathlib import Path

from noisy_student.command import run
from noisy_student.files import read_json, write_text
from noisy_student.plan.preprocessing import Plan
from noisy_student.train.held_out import FOLDER, hand_labels, held_out_cases
from noisy_student.train.postprocessing import choose_steps


def main() -> None:
    """Read the arguments, gather the folds' held-out label maps, and choose."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the round's model folder")
    parser.add_argument("--dataset", type=Path, required=True, help="the round's dataset folder")
    parser.add_argument("--folds", type=int, nargs="+", required=True)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    made = {
        case: arguments.model / f"fold_{fold}" / FOLDER / f"{case}.nii.gz"
        for fold in arguments.folds
        for case in held_out_cases(arguments.dataset, fold)
    }
    plan = Plan(*(read_json(arguments.model / name) for name in ("plans.json", "dataset.json")))
    by_hand = hand_labels(arguments.dataset, plan.organs)
    truths = {case: by_hand[case].label_map for case in made}
    labelled = {case: by_hand[case].labelled for case in made}
    chosen = choose_steps(made, truths, labelled, plan, arguments.cores)
    write_text(arguments.output, json.dumps(chosen, indent=2))


if __name__ == "__main__":
    run(main)
