"""The model card of a round's model, of what the workflow has on disk about it."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from noisy_student.configuration.experiment import DEPLOY
from noisy_student.errors import InputError
from noisy_student.export.model_card import model_card
from noisy_student.files import read_json, sha256
from noisy_student.fold_files import took_weights
from noisy_student.model.postprocessing import read_steps
from noisy_student.tables import read_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a command take what the card is made of."""
    parser.add_argument("checkpoints", type=Path, nargs="+", help="final checkpoints of the model's folds")
    parser.add_argument("--round", required=True, help="its number, or deploy")
    parser.add_argument("--settings", type=json.loads, required=True, help="the round's training settings, as JSON")
    parser.add_argument("--rules", type=json.loads, required=True, help="the round's selection, as JSON")
    parser.add_argument(
        "--training-set",
        type=Path,
        required=True,
        help="splits_final.json, which says who learned from it, lies beside it",
    )
    parser.add_argument("--verdict", type=Path, help="on the round before: which round's model labels, was it the last")
    parser.add_argument("--first-verdict", type=Path, help="on round 0, where that is a model from elsewhere")
    parser.add_argument("--summary", type=Path, required=True)
    parser.add_argument("--postprocessing", type=read_steps, default=(), help="its file, if the scores are after it")


def round_card(arguments: argparse.Namespace, checksums: Sequence[str], running: str = "") -> str:
    """The card. `checksums`: SHA-256 of the checkpoints; `running`: the card's section on how the model is run."""
    training_set = read_table(arguments.training_set, ["case", "origin", "masked"])
    before = read_json(arguments.verdict) if arguments.verdict else {}
    refuse_repetition(arguments.round, before)
    names = [f"{path.parent.name}/{path.name} in the results" for path in arguments.checkpoints]
    return model_card(
        arguments.round,
        read_json(arguments.checkpoints[0].parent.parent / "dataset.json")["labels"],
        as_trained(arguments.settings, arguments.checkpoints[0].parent),
        arguments.rules,
        training_set,
        read_table(arguments.summary, ["role", "organ", "measure", "n", "mean", "ci_low", "ci_high"]),
        dict(zip(names, checksums, strict=True)) | {"training_set.tsv": sha256(arguments.training_set)},
        before.get("labeller"),
        set(training_set.case) - learned_from(arguments.training_set.parent, arguments.checkpoints),
        read_json(arguments.first_verdict)["taken"] if arguments.first_verdict else (),
        running,
        arguments.postprocessing,
    )


def as_trained(settings: dict[str, Any], fold: Path) -> dict[str, Any]:
    """A training's settings, where it could not begin with its teacher's weights with how it began."""
    if settings.get("start") != "teacher" or took_weights(fold) is not False:
        return settings
    return settings | {"start": "scratch, its teacher being another network"}


def refuse_repetition(name: str, before: dict[str, Any]) -> None:
    """Raise InputError for a round after the rounds' end: it has the last one's model, and a card would not be true."""
    if before.get("stopped") and name != DEPLOY:
        last = before["labeller"]
        raise InputError(
            f"the model of round {name}",
            f"the rounds ended with round {last} ({before['stopped']}); later ones repeat it",
            f"name the round that was trained: results/round_{last} for results/round_{name}",
        )


def learned_from(dataset: Path, checkpoints: Sequence[Path]) -> set[str]:
    """The cases of a dataset from which any of the checkpoints' folds (`fold_<f>/<name>.pth`) learned."""
    splits = read_json(dataset / "splits_final.json")
    folds = {int(path.parent.name.removeprefix("fold_")) for path in checkpoints}
    return {case for fold in folds for case in splits[fold]["train"]}
