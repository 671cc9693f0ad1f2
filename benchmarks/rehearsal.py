"""The paper's numbers of scans through the whole graph, with small scans and a small, really trained network.

Twice, with few and with all unlabelled scans: what grows with their number is seen side by side. Prints for every
stage its jobs, time and memory, the files and bytes on disk, and what Snakemake itself costs, and puts the tables into
docs/scale.md. Called again, it goes on where it was.

    PYTHONPATH=workflow/scripts:tests python benchmarks/rehearsal.py [--unlabelled 200 2000] [--folder runs/rehearsal]
    (`make rehearsal`)
"""

import argparse
from pathlib import Path

import yaml

from many_scans import make_scans, small
from measured_run import (
    DOCS,
    NO_JOB,
    ROOT,
    SNAKEMAKE,
    Cost,
    Disk,
    StageCost,
    by_stage,
    machine,
    on_disk,
    put_into,
    run,
)
from project import Project

LABELLED, VALIDATION, TEST, SEED = 50, 25, 25, 1


def rehearse(folder: Path, unlabelled: int, cores: int) -> tuple[dict[str, Cost], dict[str, Disk]]:
    """Make the scans, run the workflow to its report; the costs of its jobs, and what lies on disk."""
    Project(folder, **yaml.safe_load((ROOT / "config/rehearsal.yaml").read_text()))
    counts = {"labelled": LABELLED, "unlabelled": unlabelled, "validation": VALIDATION, "test": TEST}
    make_scans(folder / "scans", counts, SEED, cores, small)
    costs = run(folder, cores)
    return costs, on_disk(folder / "results")


def cost_table(few: dict[str, StageCost], all_: dict[str, StageCost]) -> str:
    """Jobs, times and peaks of every stage; the peak of the largest job with few scans beside that with all."""
    lines = ["| stage | jobs | wall s | CPU s | largest job, MB | with few scans, MB |", "|---|---|---|---|---|---|"]
    for stage, cost in all_.items():
        before = few.get(stage, StageCost())
        figures = f"{cost.jobs} | {cost.wall_s:.0f} | {cost.cpu_s:.0f} | {cost.peak_mb:.0f} | {before.peak_mb:.0f}"
        lines.append(f"| {stage} | {figures} |")
    jobs = [cost for stage, cost in all_.items() if stage not in (SNAKEMAKE, NO_JOB)]
    total = f"{sum(cost.jobs for cost in jobs)} | {sum(cost.wall_s for cost in jobs):.0f}"
    lines.append(f"| all jobs | {total} | {sum(cost.cpu_s for cost in jobs):.0f} | | |")
    return "\n".join(lines)


def disk_table(disk: dict[str, Disk]) -> str:
    """Files and bytes below every folder of the results."""
    lines = ["| folder of `results/` | files | MB |", "|---|---|---|"]
    lines += [f"| {name} | {part.files} | {part.bytes / 1e6:.1f} |" for name, part in disk.items()]
    total = Disk(sum(part.files for part in disk.values()), sum(part.bytes for part in disk.values()))
    return "\n".join([*lines, f"| all | {total.files} | {total.bytes / 1e6:.1f} |"])


def main() -> None:
    """Rehearse with few scans, then with all, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unlabelled", type=int, nargs=2, default=(200, 2000), help="few, and all (200 2000)")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs/rehearsal")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    (few, _), (all_, disk) = (
        rehearse(options.folder / str(count), count, options.cores) for count in options.unlabelled
    )
    head = f"{machine()}; {LABELLED} + {options.unlabelled[1]} + {VALIDATION + TEST} scans, {options.cores} cores."
    text = "\n\n".join([head, cost_table(by_stage(few), by_stage(all_)), disk_table(disk)])
    put_into(DOCS, "rehearsal", text)
    print(text)


if __name__ == "__main__":
    main()
