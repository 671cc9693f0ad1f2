"""Train one fold of a round's network, or go on with a training that was interrupted."""

import argparse
import json
from pathlib import Path
from typing import Any

from noisy_student.command import run
from noisy_student.files import copy, only_one, read_json, sha256, write_text
from noisy_student.learning.checkpoints import FINAL_CHECKPOINT, is_whole
from noisy_student.learning.device import choose_device
from noisy_student.learning.trainer import FINISHED_CHECKPOINT, LATEST_CHECKPOINT, NoisyStudentTrainer, Places
from noisy_student.learning.trust import record


def identity(settings: dict[str, Any], dataset: Path, plans: Path, start_from: Path | None) -> str:
    """What a training depends on; checkpoints of another one are not gone on with."""
    paths = [plans, dataset / "training_set.tsv", dataset / "splits_final.json", *([start_from] if start_from else [])]
    files = {path.name: sha256(path) for path in paths}
    return json.dumps({"settings": settings, "sha256": files}, indent=2, sort_keys=True)


def forget_other_training(folder: Path, identity: str) -> None:
    """Remove checkpoints that were made with other settings or other data."""
    record = folder / "training.json"
    if record.exists() and record.read_text() == identity:
        return
    for checkpoint in folder.glob("checkpoint_*.pth"):
        print(f"{checkpoint} is of a training with other settings or data: starting anew", flush=True)
        checkpoint.unlink()
    write_text(record, identity)


def resume(trainer: NoisyStudentTrainer) -> None:
    """Load the latest checkpoint if there is one that can be read."""
    latest = trainer.places.fold_folder / LATEST_CHECKPOINT
    if not latest.exists():
        return
    try:
        trainer.load_checkpoint(str(latest))
    except Exception as error:
        raise SystemExit(f"{latest} is damaged ({error}). Delete it to start this fold anew.") from error
    trainer.print_to_log_file(f"resumed after epoch {trainer.current_epoch} of {trainer.num_epochs}")


def main() -> None:
    """Read the arguments and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=json.loads, required=True, help="the round's training settings, as JSON")
    parser.add_argument("--dataset", type=Path, required=True, help="the round's dataset folder")
    parser.add_argument("--plans", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="the round's model folder")
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--start-from", type=Path, help="checkpoint of the teacher, if its weights are the first ones")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    places = Places(arguments.dataset, arguments.model, arguments.fold)
    with only_one(places.fold_folder / ".lock"):
        depends_on = identity(arguments.settings, arguments.dataset, arguments.plans, arguments.start_from)
        forget_other_training(places.fold_folder, depends_on)
        final, finished = (places.fold_folder / name for name in (FINAL_CHECKPOINT, FINISHED_CHECKPOINT))
        if is_whole(final):
            return
        if is_whole(finished):
            copy(finished, final)
            record(final)
            print(f"{final} was trained before, with these settings and data", flush=True)
            return
        plans = read_json(arguments.plans)
        dataset = read_json(arguments.dataset / "dataset.json")
        device = choose_device(arguments.device, arguments.threads)
        workers = max(1, arguments.threads - 1)
        trainer = NoisyStudentTrainer.prepare(
            plans, dataset, places, arguments.settings, device, workers, arguments.start_from
        )
        resume(trainer)
        trainer.run_training()
        record(final)


if __name__ == "__main__":
    run(main)
