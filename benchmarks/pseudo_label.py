"""Pseudo-labelling beside stock nnU-Net, in one run: the same model, scans and cores, and equal label maps.

A run of the workflow on scans of 512 × 512 × 100 voxels trains a small network for a minute, so that its label maps
are like organs and not noise. Then, each in processes of their own: the forward passes alone; this workflow's
labelling, from preprocessed scans (every round) and from the files (once); `nnUNetv2_predict`; the same with
`--save_probabilities` and a script that scores them. After that the second round's preparation beside
`nnUNetv2_plan_and_preprocess`, and one scan of 512 × 512 × 600. Exits with 1 if a target is missed.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from labelling_run import (
    LABELLED,
    LONG_SLICE_MM,
    LONG_SLICES,
    NETWORK,
    PATCH_ZYX,
    SLICE_MM,
    SLICES,
    SPACING_MM_ZYX,
    TO_LABEL,
    LabellingRun,
)
from measured_run import machine
from processes import Measured
from windows import VARIANTS

BEYOND_PLAIN, BEYOND_PROBABILITIES, MEMORY, PREPARATION, LONG_GB, DIFFERING = 5, 15, 0.25, 0.05, 4.0, 1e-4
REPEATS = 3
# `voxel_confidence` of organs and of background, as docs/selection.md's example has them.
BOUNDS = 0.5, 0.99
# The paper's network: FLOPs of one forward pass of its patch (docs/pseudo_labelling.md), and a GPU by its data sheet.
PAPER_FLOPS, PAPER_PATCH_ZYX = 1.25e12, (32, 224, 224)
GPU, GPU_FLOPS, GPU_SHARE = "NVIDIA A100", 312e12, 0.3


class Targets:
    """Which targets were missed."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def check(self, what: str, value: float, limit: float, at_least: bool = False) -> None:
        """Say whether a target is met, and remember it if not."""
        is_met = value >= limit if at_least else value <= limit
        wanted = f"{'at least' if at_least else 'at most'} {limit:g}"
        print(f"{'met   ' if is_met else 'MISSED'}  {what}: {value:.3g} ({wanted})", flush=True)
        self.missed += [] if is_met else [what]


def _median(turns: list[Measured]) -> Measured:
    return sorted(turns, key=lambda turn: turn.wall_s)[len(turns) // 2]


ROW = "{:<42}  {:>8}  {:>8}  {:>10}  {:>10}  {:>8}  {:>10}"


def show(name: str, found: Measured, forward: dict[str, float]) -> None:
    """One line of the first table."""
    beyond = f"{found.wall_s - forward['wall_s']:.1f}", f"{found.cpu_s - forward['cpu_s']:.1f}"
    numbers = (f"{found.wall_s:.1f}", f"{found.cpu_s:.1f}", *beyond, f"{found.peak_gb:.2f}", f"{found.written_mb:.1f}")
    print(ROW.format(name, *numbers), flush=True)


def compare_labelling(run: LabellingRun, targets: Targets) -> None:
    """First table: labelling."""
    folder = run.folder
    # What takes a minute is done in turns, and the median of each stands for it.
    turns = [(run.forward(run.to_label), run.ours(TO_LABEL, folder / "ours")) for _ in range(REPEATS)]
    forward = sorted((passes for passes, _ in turns), key=lambda passes: passes["wall_s"])[REPEATS // 2]
    ours = _median([labelled for _, labelled in turns])
    print(f"\n{len(run.to_label)} scans; the {forward['passes']:.0f} forward passes alone: ", end="")
    print(f"{forward['wall_s']:.1f} s, {forward['cpu_s']:.1f} CPU s\n")
    print(ROW.format("way", "wall s", "CPU s", "beyond s", "beyond CPU", "peak GB", "written MB"))
    show("ours, with scores", ours, forward)
    from_files = run.ours_from_files(run.scans_to_label, folder / "from_files")
    show("ours from the files (label_scan.py)", from_files, forward)
    plain = run.stock(folder / "plain")
    show("nnUNetv2_predict", plain, forward)
    scored = run.scored_by_script(folder / "scored")
    show("nnUNetv2_predict with probabilities, scored", scored, forward)
    print()
    for name in ("from_files", "plain", "scored"):
        targets.check(
            f"share of voxels that differ, ours and {name}", run.differing(folder / "ours", folder / name), DIFFERING
        )
    ours_beyond = ours.wall_s - forward["wall_s"]
    for name, stock, times in (("plain", plain, BEYOND_PLAIN), ("scored", scored, BEYOND_PROBABILITIES)):
        targets.check(
            f"time beyond the passes, {name} / ours", (stock.wall_s - forward["wall_s"]) / ours_beyond, times, True
        )
    targets.check("peak memory, ours / plain", ours.peak_gb / plain.peak_gb, MEMORY)


def compare_preparation(run: LabellingRun, targets: Targets) -> None:
    """A second round's dataset beside nnU-Net's own preparation; ours also with bounds on each voxel's confidence."""
    ours = _median([run.prepare() for _ in range(REPEATS)])
    stock = run.prepare_stock()
    run.write_confidence()
    bounded = _median([run.prepare("--voxel-confidence", *BOUNDS) for _ in range(REPEATS)])
    head = f"preparing {LABELLED + len(run.to_prepare)} scans"
    print(f"\n{head:<42}  {'wall s':>8}  {'CPU s':>8}  {'peak GB':>8}")
    ways = {"ours": ours, "ours, with bounds on voxels": bounded, "nnUNetv2_plan_and_preprocess": stock}
    for name, found in ways.items():
        print(f"{name:<42}  {found.wall_s:>8.1f}  {found.cpu_s:>8.1f}  {found.peak_gb:>8.2f}", flush=True)
    for name, found in list(ways.items())[:2]:
        targets.check(f"preparation of round 1, {name} / stock", found.wall_s / stock.wall_s, PREPARATION)


def compare_windows(run: LabellingRun, _: Targets) -> None:
    """The time of faster windows; what they cost in DSC is measured by `make bench-windows`."""
    print(f"\n{'windows':<32}  {'wall s':>8}  {'CPU s':>8}")
    for windows, step in VARIANTS:
        output = run.folder / f"windows_{windows}_{step}"
        found = run.ours(TO_LABEL, output, "--windows", windows, "--step-size", step)
        name = f"{windows}, step {step:g}"
        print(f"{name:<32}  {found.wall_s:>8.1f}  {found.cpu_s:>8.1f}", flush=True)


def label_long_scan(run: LabellingRun, targets: Targets) -> None:
    """Memory and time of one long scan, and its export beside the paper's network on a GPU."""
    forward = run.forward([run.long])
    found = run.ours("test", run.folder / "long")
    beyond_cpu_s = found.cpu_s - forward["cpu_s"]
    print(f"\n512×512×{LONG_SLICES}: {found.wall_s:.1f} s, of it {forward['wall_s']:.1f} s forward passes; ", end="")
    print(f"beyond them {beyond_cpu_s:.1f} CPU s; {found.peak_gb:.2f} GB")
    targets.check("peak GB of labelling the long scan", found.peak_gb, LONG_GB)
    shape = [LONG_SLICES * LONG_SLICE_MM, 512 * 0.78, 512 * 0.78]
    grid = [round(length / step) for length, step in zip(shape, SPACING_MM_ZYX, strict=True)]
    steps = [int(np.ceil((size - patch) / (patch / 2))) + 1 for size, patch in zip(grid, PAPER_PATCH_ZYX, strict=True)]
    passes = int(np.prod(steps))
    seconds = passes * PAPER_FLOPS / (GPU_FLOPS * GPU_SHARE)
    print(f"the paper's network there: {passes} passes of {PAPER_FLOPS / 1e12:g} TFLOP on a grid of {grid}; ", end="")
    print(f"{seconds:.1f} s a fold on an {GPU} ({GPU_FLOPS / 1e12:g} TFLOPS, of which {GPU_SHARE:.0%} are assumed)")


PARTS = {
    "labelling": compare_labelling,
    "windows": compare_windows,
    "preparation": compare_preparation,
    "long": label_long_scan,
}


def main() -> None:
    """Measure everything; exit with 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=2, help="scans to label (%(default)s)")
    parser.add_argument("--prepared", type=int, default=20, help="pseudo-labelled scans of a round (%(default)s)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what is measured (default: all)")
    options = parser.parse_args()
    cores = os.cpu_count() or 1
    print(
        f"{machine()}\n512×512×{SLICES} voxels of 0.78×0.78×{SLICE_MM} mm on a grid of {SPACING_MM_ZYX} mm, 14 classes,"
    )
    print(f"patch {PATCH_ZYX}, {NETWORK['base_features']} features; {cores} threads or workers; the passes alone and")
    print(f"ours with scores and our preparation: medians of {REPEATS}, all else once")
    with tempfile.TemporaryDirectory() as folder:
        run = LabellingRun(Path(folder), options.scans, options.prepared, cores)
        run.train()
        targets = Targets()
        for part in options.parts:
            PARTS[part](run, targets)
    if targets.missed:
        sys.exit("missed: " + "; ".join(targets.missed))


if __name__ == "__main__":
    main()
