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
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow/scripts"))

VARIANTS = {
    "plain, 2 threads": {"threads": 2},
    "plain, 1 thread": {"threads": 1},
    "channels-last, 2 threads": {"threads": 2, "channels_last": True},
    "bfloat16, 2 threads": {"threads": 2, "bfloat16": True},
    "channels-last and bfloat16, 2 threads": {"threads": 2, "channels_last": True, "bfloat16": True},
    "torch.compile, 2 threads": {"threads": 2, "compile": True},
    "batches only": {"threads": 1, "batches_only": True},
}


def seconds_per_step(options: dict, steps: int) -> float:
    """Time of one training step of the workflow's own trainer, with one batch worker beside it."""
    import torch
    import yaml

    from noisy_student.configuration.experiment import read_configuration
    from noisy_student.train.trainer import NoisyStudentTrainer, Places

    configuration = read_configuration(yaml.safe_load((ROOT / "config/config.yaml").read_text()))
    network = configuration.rounds[0].network
    torch.set_num_threads(options["threads"])
    dataset = ROOT / "results/round_0/dataset"
    with tempfile.TemporaryDirectory() as folder:
        trainer = NoisyStudentTrainer.prepare(
            json.loads((ROOT / f"results/plans/{network}/plans.json").read_text()),
            json.loads((dataset / "dataset.json").read_text()),
            Places(dataset, Path(folder), configuration.training.folds[0]),
            configuration.training_of(0),
            torch.device("cpu"),
            workers=1,
        )
        trainer.on_train_start()
        trainer.on_train_epoch_start()
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
        seconds = (time.perf_counter() - start) / steps
        trainer.dataloader_train._finish()
        trainer.dataloader_val._finish()
    return seconds


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
