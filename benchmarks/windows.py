"""What faster windows cost in DSC: the last student of `make run` labels the validation and test scans with each.

    python benchmarks/windows.py [--results results]       (`make bench-windows`, after `make run`)

The scans are little larger than the network's patch, so times are those of a process; of large scans `make
bench-pseudo-label` has them.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import pandas as pd

from measured_run import ROOT, machine
from processes import measured

VARIANTS = [
    ("everywhere", 0.5),
    ("on_body", 0.5),
    ("in_box_of_body", 0.5),
    ("everywhere", 0.75),
    ("everywhere", 1.0),
    ("in_box_of_body", 0.75),
]
ROW = "{:<28}  {:>6}  {:>6}  {:>8}  {:>8}"


def label(results: Path, output: Path, *options: object) -> float:
    """Label the scans with the model that labels after the last round; seconds of the process."""
    labeller = sorted(results.glob("round_*/labeller"))[-1]
    command = [sys.executable, ROOT / "workflow/scripts/predict.py", *sorted(labeller.glob("fold_*/*.pth"))]
    command += ["--cases", results / "cohort/cases.tsv", "--converted", results / "cohort/converted.tsv"]
    command += ["--preprocessed", labeller / "preprocessed.tsv", "--roles", "validation", "test"]
    command += [*options, "--device", "cpu", "--threads", os.cpu_count()]
    command += ["--shard", 0, "--shards", 1, "--folder", output, "--output", output / "scores.tsv"]
    return measured(command, output, results.parent, {}, output / "log").wall_s


def dsc(results: Path, output: Path) -> pd.DataFrame:
    """DSC of each scan and organ."""
    command = [sys.executable, ROOT / "workflow/scripts/evaluate.py", "--cases", results / "cohort/cases.tsv"]
    command += ["--roles", "validation", "test", "--predictions", output, "--output", output / "dsc.tsv"]
    measured(command, output, results.parent, {}, output / "log")
    return pd.read_csv(output / "dsc.tsv", sep="\t")


def main() -> None:
    """Label and judge with each variant; print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    results = parser.parse_args().results.resolve()
    print(f"{machine()}\n")
    print(ROW.format("windows", "wall s", "DSC", "change", "largest"))
    scores: list[pd.Series] = []
    with tempfile.TemporaryDirectory() as folder:
        for windows, step in VARIANTS:
            output = Path(folder, f"{windows}_{step}")
            output.mkdir()
            seconds = label(results, output, "--windows", windows, "--step-size", step)
            scores.append(dsc(results, output).groupby("case").DSC.mean())
            change = scores[-1] - scores[0]
            figures = f"{seconds:.1f}", f"{scores[-1].mean():.3f}", f"{change.mean():+.4f}", f"{change.abs().max():.4f}"
            print(ROW.format(f"{windows}, step {step:g}", *figures), flush=True)
    print(f"\n{len(scores[0])} scans; change of a scan's mean DSC, over scans and of the scan that changed most")


if __name__ == "__main__":
    main()
