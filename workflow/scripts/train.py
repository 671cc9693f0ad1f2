"""Train one fold of a round's network, or go on with a training that was interrupted; then label its held-out scans."""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import torch

from noisy_student.command import run
from noisy_student.configuration.prediction_options import add_arguments, prediction_of
from noisy_student.errors import InputError
from noisy_student.files import copy, only_one, read_json, sha256, write_text
from noisy_student.fold_files import PROGRESS, VERSIONS
from noisy_student.keeping.aside import settle
from noisy_student.keeping.depends import DEPENDS
from noisy_student.keeping.store import Store
from noisy_student.model.backend import refuse_what_cannot_compute
from noisy_student.model.checkpoint_names import FINAL_CHECKPOINT, VOICES, checkpoints_of_voices
from noisy_student.model.checkpoints import is_whole
from noisy_student.model.device import choose_device
from noisy_student.model.model_folder import read_model
from noisy_student.model.own_prediction import write_own_prediction
from noisy_student.model.predictor import Predictor
from noisy_student.model.source import DESCRIPTIONS
from noisy_student.model.trust import RECORD, record
from noisy_student.parallel import end_children_with_this_process
from noisy_student.plan.preprocessing import Plan
from noisy_student.tables import read_table
from noisy_student.train.collapse import gain, shortcomings
from noisy_student.train.first_weights import FirstWeights, weights_of_model, weights_of_teacher
from noisy_student.train.held_out import COLUMNS, FOLDER, TABLE, label_held_out
from noisy_student.train.trainer import (
    FINISHED_CHECKPOINT,
    LATEST_CHECKPOINT,
    VOICES_FOLDER,
    NoisyStudentTrainer,
    Places,
)
from noisy_student.versions import OF_TRAINING, versions

# Where a fold is trained again, beside the round's model folder, and how far its seed is from the first one.
RETRAINED = "retrained"
SEED_STEP = 1_000_000
# What a store has of a finished training, besides the checkpoints of its voices.
KIND, KEPT = "training", (FINISHED_CHECKPOINT, PROGRESS)
# The progress of the fold's own training, where that of the better second one stands in its place.
OWN_PROGRESS = "progress_finished.tsv"
# What nnU-Net has of a dataset.
DESCRIPTION = "dataset.json"


def voices_of(settings: dict[str, Any]) -> list[str]:
    """The checkpoints of a training's voices besides the final one."""
    return [name for name in checkpoints_of_voices(settings["voices"]) if name != FINAL_CHECKPOINT]


def identity(settings: dict[str, Any], dataset: Path, plans: Path, first: FirstWeights | None) -> str:
    """What a training depends on; another one's checkpoints are set aside.

    Of the dataset's description, without the paths of its scans: a run that was moved, or one beside it, is the same.
    """
    files = {path.name: sha256(path) for path in (plans, dataset / "training_set.tsv", dataset / "splits_final.json")}
    files[DESCRIPTION] = described(read_json(dataset / DESCRIPTION))
    if first:
        files[first.checkpoint.name + ("" if first.with_heads else " without heads")] = sha256(first.checkpoint)
    return json.dumps({"settings": settings, "sha256": files}, indent=2, sort_keys=True)


def with_paths(identity: str, dataset: Path) -> str:
    """An identity as it was written before: with the checksum of the whole description."""
    content = json.loads(identity)
    content["sha256"][DESCRIPTION] = sha256(dataset / DESCRIPTION)
    return json.dumps(content, indent=2, sort_keys=True)


def described(description: dict[str, Any]) -> str:
    """SHA-256 of what nnU-Net's dataset.json says besides where scans lie."""
    said = {name: value for name, value in description.items() if name != "dataset"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def say_versions(folder: Path) -> None:
    """Say beside a training with which versions it is computed, after those before if it goes on.

    Nothing is said of one that began before it was said.
    """
    path, goes_on = folder / VERSIONS, (folder / LATEST_CHECKPOINT).exists()
    if goes_on and not path.exists():
        return
    before, now = read_json(path) if goes_on else [], versions(OF_TRAINING)
    if now not in before:
        write_text(path, json.dumps([*before, now], indent=2))


def resume(trainer: NoisyStudentTrainer) -> None:
    """Load the latest checkpoint if there is one. Raises InputError where it is damaged, and for nothing else."""
    latest = trainer.places.fold_folder / LATEST_CHECKPOINT
    if not latest.exists():
        return
    if not is_whole(latest):
        raise InputError(f"a whole checkpoint at {latest}", "a damaged one", "delete it to start this fold anew")
    trainer.load_checkpoint(str(latest))
    trainer.print_to_log_file(f"resumed after epoch {trainer.current_epoch} of {trainer.num_epochs}")


def first_weights(arguments: argparse.Namespace) -> FirstWeights | None:
    """The weights that the training begins with, if they are those of a teacher or of another model."""
    plan = Plan(read_json(arguments.plans), read_json(arguments.dataset / "dataset.json"))
    if arguments.start_from_model:
        return weights_of_model(arguments.start_from_model, plan)
    if not arguments.start_from:
        return None
    found = weights_of_teacher(arguments.start_from, plan)
    if not found:
        print(f"{arguments.start_from} is of another network, so the training starts from scratch", flush=True)
    return found


def trained(arguments: argparse.Namespace, model: Path, seed: int) -> Path:
    """The folder of a fold that is trained to its end, with its checkpoint and what it makes of its held-out scans."""
    settings = arguments.settings | {"seed": seed}
    places = Places(arguments.dataset, model, arguments.fold)
    # A lost node may train on; a failed second job would take away what that training makes.
    with only_one(places.fold_folder / ".lock", wait=True):
        depends_on = identity(settings, arguments.dataset, arguments.plans, arguments.first_weights)
        formerly = with_paths(depends_on, arguments.dataset)
        settle(places.fold_folder, depends_on, formerly)
        write_text(places.fold_folder / DEPENDS, json.dumps(arguments.depends, indent=2))
        device = choose_device(arguments.device, arguments.threads)
        refuse_what_cannot_compute(prediction_of(arguments), device)
        store = Store.of_environment()
        made_from = f"fold {arguments.fold}, {depends_on}"
        kept = [*KEPT, *(f"{VOICES_FOLDER}/{name}" for name in voices_of(settings))]
        files = {name: places.fold_folder / name for name in kept}
        if (own := places.fold_folder / OWN_PROGRESS).exists():
            files[PROGRESS] = own
        extras = {VERSIONS: places.fold_folder / VERSIONS}
        with store.alone(f"training {made_from}", own_epochs(places)):
            if not is_finished(places, settings) and store.take(KIND, made_from, files, extras):
                print(f"this very training is in the store {store.root}: taken from there", flush=True)
            finish(arguments, settings, places, device)
            store.put(KIND, made_from, files, extras)
        finished = places.fold_folder / FINISHED_CHECKPOINT
        predictor = Predictor(read_model([finished]), prediction_of(arguments), device)
        label_held_out(predictor, arguments.dataset, arguments.fold, places.fold_folder, seed)
    return places.fold_folder


def own_epochs(places: Places) -> str:
    """What is said where one waits for another experiment's equal training, and has begun it too."""
    progress = places.fold_folder / PROGRESS
    if not progress.exists() or not (places.fold_folder / LATEST_CHECKPOINT).exists():
        return ""
    epochs = len(progress.read_text().splitlines()) - 1
    return f"; here {epochs} epochs are done: end that one to go on from them"


def is_finished(places: Places, settings: dict[str, Any]) -> bool:
    """Whether all that the training itself wrote at its end is whole."""
    own = [places.fold_folder / FINISHED_CHECKPOINT, *(places.voices / name for name in voices_of(settings))]
    return all(map(is_whole, own))


def finish(arguments: argparse.Namespace, settings: dict[str, Any], places: Places, device: torch.device) -> None:
    """Train to the final checkpoint, as far as that is not done, and bring its voices beside it."""
    final, finished = (places.fold_folder / name for name in (FINAL_CHECKPOINT, FINISHED_CHECKPOINT))
    plans, dataset = read_json(arguments.plans), read_json(arguments.dataset / "dataset.json")
    if is_finished(places, settings):
        if not is_whole(final):
            copy_checkpoint(finished, final)
            if (own := places.fold_folder / OWN_PROGRESS).exists():
                copy(own, places.fold_folder / PROGRESS)
            print(f"{final} was trained before, with these settings and data", flush=True)
        describe(places.model, plans, dataset)
    else:
        workers = max(1, arguments.threads - 1)
        first = arguments.first_weights
        trainer = NoisyStudentTrainer.prepare(plans, dataset, places, settings, device, workers, first)
        trainer.save_every = arguments.checkpoint_every
        say_versions(places.fold_folder)
        resume(trainer)
        trainer.run_training()
        record(final)
    for name in voices_of(settings):
        copy_checkpoint(places.voices / name, places.fold_folder / name)


def copy_checkpoint(source: Path, target: Path) -> None:
    """Make a checkpoint another one of this run, on record as made here."""
    target.with_suffix(RECORD).unlink(missing_ok=True)
    copy(source, target)
    record(target)


def describe(model: Path, plans: dict[str, Any], dataset: dict[str, Any]) -> None:
    """Write what a model folder says of its folds, where another training has left its own."""
    for name, content in (("plans.json", plans), ("dataset.json", dataset)):
        path = model / name
        if not path.exists() or not content.items() <= read_json(path).items():
            write_text(path, json.dumps(content, indent=4))


def train_again_after_a_collapse(arguments: argparse.Namespace, first: Path, teacher: Path) -> None:
    """Train a fold that collapsed once more, with another seed, and keep the better one."""
    before, student = (read_table(folder / TABLE, COLUMNS) for folder in (teacher, first))
    reasons = shortcomings(student, before, arguments.retrain_below)
    if not reasons:
        return
    print(f"fold {arguments.fold} collapsed and is trained with another seed: {'; '.join(reasons)}", flush=True)
    second = trained(arguments, arguments.model.with_name(RETRAINED), arguments.settings["seed"] + SEED_STEP)
    if gain(read_table(second / TABLE, COLUMNS), student) > 0:
        repeat(second, first)


def repeat(other: Path, fold: Path) -> None:
    """Make a fold's results those of another fold's folder."""
    for name in checkpoints_of_voices(VOICES):
        (fold / name).unlink(missing_ok=True)
        if (other / name).exists():
            copy_checkpoint(other / name, fold / name)
    if (fold / PROGRESS).exists() and not (fold / OWN_PROGRESS).exists():
        copy(fold / PROGRESS, fold / OWN_PROGRESS)
    for path in [other / TABLE, other / PROGRESS, *(other / FOLDER).iterdir()]:
        copy(path, fold / path.relative_to(other))
    for name in DESCRIPTIONS:
        copy(other.parent / name, fold.parent / name)


def repeat_the_last(last: Path, fold: Path) -> None:
    """Make a fold of a round after the end of all rounds what the last round's is; a training that it had is kept."""
    with only_one(fold / ".lock", wait=True):
        settle(fold, json.dumps({"repeats": sha256(last / FINAL_CHECKPOINT)}))
        repeat(last, fold)


def main() -> None:
    """Read the arguments and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=json.loads, required=True, help="the round's training settings, as JSON")
    parser.add_argument("--dataset", type=Path, required=True, help="the round's dataset folder")
    parser.add_argument("--plans", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="the round's model folder")
    parser.add_argument("--fold", type=int, required=True)
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--start-from", type=Path, help="checkpoint of the teacher, if its weights are the first ones")
    start.add_argument(
        "--start-from-model", type=Path, help="checkpoint whose weights are the first ones where they fit"
    )
    parser.add_argument("--verdict", type=Path, help="on the round before: which one labels, and was it the last")
    parser.add_argument("--depends", type=json.loads, default={}, help="what else it depends on, for the record")
    parser.add_argument("--checkpoint-every", type=int, default=50, help="epochs from one checkpoint to the next")
    parser.add_argument("--retrain-below", type=float, help="train again if the DSC falls by more than this noise")
    add_arguments(parser)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    end_children_with_this_process()
    write_own_prediction(arguments.model, prediction_of(arguments))
    before = read_json(arguments.verdict) if arguments.verdict else {}
    own = arguments.model / f"fold_{arguments.fold}"
    teacher = arguments.model.parents[1] / f"round_{before.get('labeller')}/model/{own.name}"
    if before.get("stopped"):
        print(f"the rounds ended with round {before['labeller']}: {before['stopped']}", flush=True)
        repeat_the_last(teacher, own)
        return
    arguments.first_weights = first_weights(arguments)
    trained(arguments, arguments.model, arguments.settings["seed"])
    if arguments.retrain_below is not None:
        train_again_after_a_collapse(arguments, own, teacher)


if __name__ == "__main__":
    run(main)
