"""Which CPU options train the default configuration's network fastest: seconds per training step, side by side.

Each variant runs in a fresh process; the variants take turns for several repeats and the median is printed, with
the ratio to the plain way. `batches only` is the augmentation worker alone: the step cannot be faster than it.

    python benchmarks/training_cpu.py [--repeats 3] [--steps 15]     (after `make run`)
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow/scripts"))

if TYPE_CHECKING:
    from noisy_student.train.trainer import NoisyStudentTrainer

VARIANTS = {
    "plain, 2 threads": {"threads": 2},
    "plain, 1 thread": {"threads": 1},
    "channels-last, 2 threads": {"threads": 2, "channels_last": True},
    "bfloat16, 2 threads": {"threads": 2, "bfloat16": True},
    "channels-last and bfloat16, 2 threads": {"threads": 2, "channels_last": True, "bfloat16": True},
    "torch.compile, 2 threads": {"threads": 2, "compile": True},
    "batches only": {"threads": 1, "batches_only": True},
}


@contextmanager
def begun(
    number: int, dataset: Path, larger: Mapping[str, list[int]] | None = None, **settings: object
) -> Iterator["NoisyStudentTrainer"]:
    """A round's training by the default configuration, whose first epoch has begun, with one batch worker beside it.

    Plans are those of `make run`, but patch size and features of `larger`; `settings` take the place of the round's.
    """
    import torch
    import yaml

    from noisy_student.configuration.experiment import read_configuration
    from noisy_student.train.trainer import NoisyStudentTrainer, Places

    configuration = read_configuration(yaml.safe_load((ROOT / "config/config.yaml").read_text()))
    plans = json.loads((ROOT / f"results/plans/{configuration.rounds[number].network}/plans.json").read_text())
    if larger:
        planned = plans["configurations"]["3d_fullres"]
        planned["patch_size"] = larger["patch_size"]
        planned["architecture"]["arch_kwargs"]["features_per_stage"] = larger["features_per_stage"]
    with tempfile.TemporaryDirectory() as folder:
        trainer = NoisyStudentTrainer.prepare(
            plans,
            json.loads((dataset / "dataset.json").read_text()),
            Places(dataset, Path(folder), configuration.training.folds[0]),
            configuration.training_of(number) | settings,
            torch.device("cpu"),
            workers=1,
        )
        # Random weights cost as much as trained ones.
        trainer.begins_trained = True
        trainer.on_train_start()
        trainer.on_train_epoch_start()
        yield trainer
        trainer.dataloader_train._finish()
        trainer.dataloader_val._finish()


def seconds_per_step(options: dict, steps: int) -> float:
    """Time of one training step of the workflow's own trainer, with one batch worker beside it."""
    import torch

    torch.set_num_threads(options["threads"])
    with begun(0, ROOT / "results/round_0/dataset") as trainer:
        layout = torch.channels_last_3d if options.get("channels_last") else torch.contiguous_format
        trainer.network = trainer.network.to(memory_format=layout)
        if options.get("compile"):
            trainer.network = torch.compile(trainer.network)

        def step() -> None:
            batch = next(trainer.dataloader_train)
            if options.get("batches_only"):
                return
            with torch.autocast("cpu", torch.bfloat16, enabled=bool(options.get("bfloat16"))):
                trainer.train_step(batch)

        for _ in range(10):  # also compiles, where asked to
            step()
        start = time.perf_counter()
        for _ in range(steps):
            step()
        return (time.perf_counter() - start) / steps


def main() -> None:
    """Run every variant in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print("seconds:", seconds_per_step(VARIANTS[arguments.only], arguments.steps))
        return
    times: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(arguments.repeats):
        for name, found in times.items():
            command = [sys.executable, __file__, "--only", name, "--steps", str(arguments.steps)]
            run = subprocess.run(command, capture_output=True, text=True)
            lines = [line for line in run.stdout.splitlines() if line.startswith("seconds:")]
            if lines:
                found.append(float(lines[0].split()[1]))
    plain = statistics.median(times["plain, 2 threads"])
    print(f"{os.cpu_count()} cores, default configuration's network and patch, {arguments.repeats} repeats\n")
    print(f"{'variant':40} seconds per step   ratio to plain")
    for name, found in times.items():
        median = statistics.median(found) if found else float("nan")
        print(f"{name:40} {median:16.3f} {median / plain:16.2f}")


if __name__ == "__main__":
    main()
