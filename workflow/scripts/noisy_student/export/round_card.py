"""The model card of a round's model, of what the workflow has on disk about it."""

import argparse
import json
from pathlib import Path

from noisy_student.export.model_card import model_card
from noisy_student.files import read_json, sha256
from noisy_student.tables import read_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a command take what the card is made of."""
    parser.add_argument("checkpoints", type=Path, nargs="+", help="final checkpoints of the model's folds")
    parser.add_argument("--round", required=True, help="its number, or deploy")
    parser.add_argument("--settings", type=json.loads, required=True, help="the round's training settings, as JSON")
    parser.add_argument("--rules", type=json.loads, required=True, help="the round's selection, as JSON")
    parser.add_argument("--training-set", type=Path, required=True)
    parser.add_argument("--first-verdict", type=Path, help="on round 0, where that is a model from elsewhere")
    parser.add_argument("--summary", type=Path, required=True)


def round_card(arguments: argparse.Namespace, running: str = "") -> str:
    """The card; `running` is its section on how the model is run, if that is not by nnU-Net."""
    files = {f"{path.parent.name}/{path.name} in the results": path for path in arguments.checkpoints}
    files |= {"training_set.tsv": arguments.training_set}
    return model_card(
        arguments.round,
        read_json(arguments.checkpoints[0].parent.parent / "dataset.json")["labels"],
        arguments.settings,
        arguments.rules,
        read_table(arguments.training_set, ["origin", "masked"]),
        read_table(arguments.summary, ["role", "organ", "measure", "n", "mean", "ci_low", "ci_high"]),
        {name: sha256(path) for name, path in files.items()},
        read_json(arguments.first_verdict)["taken"] if arguments.first_verdict else (),
        running,
    )
