"""Write a round's model as a zip that nnU-Net v2 installs, with its model card."""

import argparse
import json
from pathlib import Path

from noisy_student.command import run
from noisy_student.export.model_card import model_card
from noisy_student.export.model_zip import write_model_zip
from noisy_student.files import read_json, sha256
from noisy_student.tables import read_table


def main() -> None:
    """Read the arguments and write the zip."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="+", help="final checkpoints of the model's folds")
    parser.add_argument("--round", type=int, required=True)
    parser.add_argument("--settings", type=json.loads, required=True, help="the round's training settings, as JSON")
    parser.add_argument("--rules", type=json.loads, required=True, help="the round's selection, as JSON")
    parser.add_argument("--training-set", type=Path, required=True)
    parser.add_argument("--first-verdict", type=Path, help="on round 0, where that is a model from elsewhere")
    parser.add_argument("--summary", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    training_set = read_table(arguments.training_set, ["origin", "masked"])
    summary = read_table(arguments.summary, ["role", "organ", "measure", "n", "mean", "ci_low", "ci_high"])
    files = {f"{path.parent.name}/{path.name} in the results": path for path in arguments.checkpoints}
    files |= {"training_set.tsv": arguments.training_set}
    checksums = {name: sha256(path) for name, path in files.items()}
    description = json.loads((arguments.checkpoints[0].parent.parent / "dataset.json").read_text())
    card = model_card(
        arguments.round,
        description["labels"],
        arguments.settings,
        arguments.rules,
        training_set,
        summary,
        checksums,
        read_json(arguments.first_verdict)["taken"] if arguments.first_verdict else (),
    )
    write_model_zip(arguments.checkpoints, card, arguments.output)


if __name__ == "__main__":
    run(main)
