"""Scans of 512×512×600 voxels through the whole graph, one job at a time: the peak memory and time of every stage.

The network has the paper's grid, patch and 14 classes but few features, so that a CPU labels a scan in minutes; its
training is a few steps. Puts the table into docs/scale.md, and exits with 1 if a job needs more than 6 GB. Called
again, it goes on where it was.

    PYTHONPATH=workflow/scripts:tests python benchmarks/full_size.py [--folder runs/full_size]
    (`make bench-full-size`)
"""

import argparse
import sys
from pathlib import Path

import yaml

from many_scans import FULL_SIZE_XYZ, FULL_SPACING_MM_XYZ, folders, full_size, make_scans
from measured_run import DOCS, NO_JOB, ROOT, SNAKEMAKE, by_stage, machine, put_into, run
from project import Project

LIMIT_MB = 6000
SEED = 1
# Two unlabelled ones, since one is exported while the next is predicted.
COUNTS = {"labelled": 2, "unlabelled": 2, "test": 1}
LITTLE_TRAINING = {
    **{"splits": 2, "folds": [0], "epochs": 2, "iterations_per_epoch": 20, "validation_iterations_per_epoch": 1},
    **{"optimizer": "adamw", "learning_rate": 0.01},
}


def overlay() -> dict:
    """The paper's configuration with these scans and a network of few features, which nothing follows."""
    paper = yaml.safe_load((ROOT / "config/flare22.yaml").read_text())
    network = paper["networks"]["paper"] | {"base_features": 2, "max_features": 16}
    return paper | {
        "cohort": {"kind": "folders", "folders": folders(Path("scans"), COUNTS)},
        "networks": {"paper": network},
        "deploy": None,
        "training": paper["training"] | LITTLE_TRAINING,
        "shards": 1,
        "efficiency": {"scans": 1},
        # Each voxel seen once: less time in the same memory.
        "prediction": {"step_size": 1.0},
    }


def main() -> None:
    """Make the scans, run the workflow on one core, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/full_size")
    options = parser.parse_args()
    Project(options.folder, **overlay())
    make_scans(options.folder / "scans", COUNTS, SEED, 1, full_size)
    stages = by_stage(run(options.folder, 1))
    size, spacing = ("×".join(map(str, values)) for values in (FULL_SIZE_XYZ, FULL_SPACING_MM_XYZ))
    head = f"{machine()}; scans of {size} voxels of {spacing} mm, {COUNTS}, one core.\n"
    lines = [head, "| stage | jobs | wall s | CPU s | largest job, GB |", "|---|---|---|---|---|"]
    stages = {name: cost for name, cost in stages.items() if name not in (SNAKEMAKE, NO_JOB)}
    for name, cost in stages.items():
        figures = f"{cost.jobs} | {cost.wall_s:.0f} | {cost.cpu_s:.0f} | {cost.peak_mb / 1000:.2f}"
        lines.append(f"| {name} | {figures} |")
    print(*lines, sep="\n")
    put_into(DOCS, "full size", "\n".join(lines))
    if too_large := [name for name, cost in stages.items() if cost.peak_mb > LIMIT_MB]:
        sys.exit(f"more than {LIMIT_MB / 1000:g} GB: {', '.join(too_large)}")


if __name__ == "__main__":
    main()
