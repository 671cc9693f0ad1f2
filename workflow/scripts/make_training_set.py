"""Assemble the dataset of one round: all labelled scans, and the pseudo-labelled ones that were kept."""

import argparse
import json
import shutil
from functools import partial
from pathlib import Path

import pandas as pd

from noisy_student import nnunet
from noisy_student.command import run
from noisy_student.errors import InputError
from noisy_student.files import read_json, write_text
from noisy_student.keeping.store import own
from noisy_student.model.label_files import LabelFiles
from noisy_student.parallel import in_threads
from noisy_student.plan.preprocessing import Plan
from noisy_student.tables import read_table, write_table
from noisy_student.train.masking import with_ignore_label
from noisy_student.train.training_set import Example, add_example, remove_others, splits


def examples(
    converted: Path,
    preprocessed: Path,
    selection: Path | None,
    pseudo_labels: Path | None,
    voxel_confidence: tuple[float, float],
) -> list[Example]:
    """Every scan that the round learns from."""
    places = read_table(preprocessed, ["case", "preprocessed"]).set_index("case").preprocessed
    labelled = read_table(converted, ["case", "label_map"]).dropna(subset="label_map")
    found = [
        Example(row.case, "labelled", Path(row.label_map), Path(places[row.case])) for row in labelled.itertuples()
    ]
    if selection and pseudo_labels:
        table = read_table(selection, ["case", "decision", "masked", "confidence"])
        kept = table[table.decision == "kept"].fillna({"masked": ""})
        for row in kept.itertuples():
            organs = tuple(row.masked.split(", ")) if row.masked else ()
            files, image = LabelFiles(pseudo_labels, row.case), Path(places[row.case])
            unsure = (files.confidence, voxel_confidence) if any(voxel_confidence) else ()
            found.append(Example(row.case, "pseudo", files.label_map, image, organs, row.confidence, *unsure))
    return found


def main() -> None:
    """Read the arguments and assemble."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--converted", type=Path, required=True, help="index of the converted scans")
    parser.add_argument("--preprocessed", type=Path, required=True, help="index of the preprocessed scans")
    parser.add_argument("--selection", type=Path, help="selection.tsv of the round (none in round 0)")
    parser.add_argument("--pseudo-labels", type=Path, help="folder of the teacher's label maps (none in round 0)")
    parser.add_argument(
        "--voxel-confidence",
        type=float,
        nargs=2,
        default=(0.0, 0.0),
        metavar=("ORGAN", "BACKGROUND"),
        help="voxels of which the teacher is less sure are left out of the loss",
    )
    parser.add_argument("--plans", type=Path, required=True)
    parser.add_argument("--description", type=Path, required=True, help="dataset.json of the labelled scans")
    parser.add_argument("--fingerprint", type=Path, required=True)
    parser.add_argument("--splits", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True, help="the configuration's seed, the same in all rounds")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="training_set.tsv in the round's dataset folder")
    arguments = parser.parse_args()

    folder = arguments.output.parent
    cases = folder / nnunet.CASES_FOLDER
    own(cases)
    cases.mkdir(parents=True, exist_ok=True)
    found = examples(
        arguments.converted, arguments.preprocessed, arguments.selection, arguments.pseudo_labels,
        tuple(arguments.voxel_confidence),
    )  # fmt: skip
    labelled = [example.case for example in found if example.origin == "labelled"]
    if arguments.splits > len(labelled):
        raise InputError(
            f"at least {arguments.splits} labelled scans, one for each of `training.splits`",
            f"{len(labelled)}",
            "lower `training.splits`, and `training.folds` with it",
        )
    description = read_json(arguments.description)
    if any(example.masked or example.voxels for example in found):
        description = with_ignore_label(description)
    plan = Plan(read_json(arguments.plans), description)
    rows = list(in_threads(partial(add_example, folder=cases, plan=plan), found, arguments.cores, "labelling"))
    remove_others(cases, [example.case for example in found])
    pseudo = [example.case for example in found if example.origin == "pseudo"]
    folds = splits(labelled, pseudo, arguments.splits, arguments.seed)
    write_text(folder / "splits_final.json", json.dumps(folds, indent=2))
    write_text(folder / "dataset.json", json.dumps(description, indent=2))
    shutil.copyfile(arguments.fingerprint, folder / "dataset_fingerprint.json")
    write_table(pd.DataFrame(rows), arguments.output)


if __name__ == "__main__":
    run(main)
