"""What soft targets, and a teacher that learns along, cost a training step beside hard targets, on the same scans.

Each way runs in a fresh process, in turns; medians, and ratios to hard targets. The scans are those of `make run`'s
first student; a tenth of the soft targets' voxels is divided between two classes. `larger` is a network of 32 features
on patches of four times the size.

    python benchmarks/soft_targets.py [--repeats 3] [--steps 20]     (after `make run`)
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

from processes import largest_mb  # noqa: E402
from training_cpu import begun  # noqa: E402

ROUND = ROOT / "results/round_1/dataset"
LARGER = {"patch_size": [24, 96, 96], "features_per_stage": [32, 64, 128, 256]}
NETWORKS = {"default": {}, "larger": LARGER}
WAYS = ("hard", "soft", "online")


def make_datasets(folder: Path) -> None:
    """The round's dataset with hard and with soft targets; images are linked."""
    import numpy as np

    from noisy_student.model.soft_labels import hard
    from noisy_student.plan.preprocessing import LABELS, read_array, with_suffix, write_array

    random = np.random.default_rng(1)
    for way in WAYS:
        cases = folder / way / "cases"
        cases.mkdir(parents=True)
        for name in ("dataset.json", "splits_final.json", "training_set.tsv", "dataset_fingerprint.json"):
            (folder / way / name).symlink_to(ROUND / name)
        for path in (ROUND / "cases").iterdir():
            if not path.name.endswith(LABELS):
                (cases / path.name).symlink_to(path.resolve())
                continue
            labels = hard(read_array(path)[:1])
            divided = random.random(labels.shape[1:]) < 0.1
            labels[1][divided] = np.roll(labels[0], 1, 2)[divided]
            labels[2][divided & (labels[0] != labels[1])] = 70
            case = cases / path.name.removesuffix(LABELS)
            write_array(labels[:1] if way == "hard" else labels, with_suffix(case, LABELS), [24, 48, 48])


def cost(dataset: Path, way: str, network: str, steps: int) -> dict[str, float]:
    """Of one way: seconds a step, seconds a batch, and the peak memory of the training and its worker in MB."""
    import psutil
    import torch

    torch.set_num_threads(1)
    with begun(1, dataset, NETWORKS[network], targets=way) as trainer:
        batches = [next(trainer.dataloader_train) for _ in range(3)]
        trainer.train_step(batches[0])
        start = time.process_time()
        for number in range(steps):
            trainer.train_step(batches[number % 3])
        step = (time.process_time() - start) / steps
        (worker, *_) = sorted(psutil.Process().children(recursive=True), key=lambda one: -one.cpu_times().user)
        before, made = sum(worker.cpu_times()[:2]), 0
        start = time.monotonic()
        while time.monotonic() - start < 20:
            next(trainer.dataloader_train)
            made += 1
        batch = (sum(worker.cpu_times()[:2]) - before) / made
        memory = [largest_mb(process.pid) for process in (psutil.Process(), worker)]
    return {"step, CPU s": step, "batch, CPU s": batch, "training, MB": memory[0], "worker, MB": memory[1]}


def main() -> None:
    """Run every way in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--only", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        dataset, way, network = arguments.only
        print("cost:", json.dumps(cost(Path(dataset), way, network, arguments.steps)))
        return
    with tempfile.TemporaryDirectory() as folder:
        make_datasets(Path(folder))
        print(f"{os.cpu_count()} cores, {arguments.repeats} repeats, medians\n")
        print(f"{'network':10} {'':16} {'hard':>9} {'soft':>9}   ratio {'online':>9}   ratio")
        for network in NETWORKS:
            found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
            for _ in range(arguments.repeats):
                for way, costs in found.items():
                    options = ["--only", f"{folder}/{way}", way, network, "--steps", str(arguments.steps)]
                    run = subprocess.run(
                        [sys.executable, __file__, *options], stdout=subprocess.PIPE, text=True, check=True
                    )
                    (line,) = (line for line in run.stdout.splitlines() if line.startswith("cost:"))
                    costs.append(json.loads(line.removeprefix("cost:")))
            for name in found["hard"][0]:
                plain, *others = (statistics.median(one[name] for one in found[way]) for way in WAYS)
                ratios = " ".join(f"{other:9.3f} {other / plain:7.2f}" for other in others)
                print(f"{network:10} {name:16} {plain:9.3f} {ratios}", flush=True)


if __name__ == "__main__":
    main()
