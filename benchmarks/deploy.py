"""What a student made to be deployed loses in accuracy and wins in time, on the embedded cohort.

    python benchmarks/deploy.py [--results results]       (`make bench-deploy`, after `make run`)

A copy of the finished run is given such a student (`deploy`) with fewer features than the network of the rounds, on
their grid, which is coarse already. It learns from the last model's labels, and is judged on the test scans beside the
round that taught it. Exits with 1 if it loses more than the target.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import yaml

from measured_run import BIN, ROOT, machine

LOSS = 0.02
NETWORK = {
    "encoder": "plain",
    "spacing_mm_zyx": [8.0, 6.0, 6.0],
    "patch_size_zyx": [24, 48, 48],
    "batch_size": 2,
    "stages": 4,
    "base_features": 6,
    "encoder_blocks": [1],
    "decoder_blocks": [1],
}
DEPLOY = {
    "network": "small",
    "training": {"epochs": 80, "fine_tuning": {"epochs": 20, "noise": "nnunet"}},
}
ROW = "{:<24}  {:>10}  {:>10}  {:>8}  {:>12}"


def copied(results: Path, folder: Path) -> None:
    """The finished run in another folder, with Snakemake's record of it; without the study and other measurements."""

    def others(place: str, _: list[str]) -> list[str]:
        return ["study", "benchmarks"] if Path(place) == results else []

    shutil.copytree(results, folder / "results", symlinks=True, ignore=others)
    record = results.parent / ".snakemake/metadata"
    shutil.copytree(record, folder / ".snakemake/metadata")


def run(folder: Path, cores: int) -> None:
    """Make what the copied run lacks: the student alone."""
    overlay = folder / "overlay.yaml"
    overlay.write_text(yaml.safe_dump({"networks": {"small": NETWORK}, "deploy": DEPLOY}))
    command = [BIN / "snakemake", "round_deploy", "--snakefile", ROOT / "Snakefile", "--cores", cores]
    command += ["--workflow-profile", ROOT / "profiles/venv", "--configfile", overlay]
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    ended = subprocess.run(list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(ended.stderr[-5000:])


def main() -> None:
    """Train, judge, print; exit with 1 if the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="of `make run`")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    options = parser.parse_args()
    results = options.results.resolve()
    if not (results / "comparison.tsv").exists():
        sys.exit(f"no finished run in {results}: call `make run` first, or name one with --results")
    print(f"{machine()}, of which {options.cores} are used\n")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        copied(results, folder)
        run(folder, options.cores)
        here = folder / "results/round_deploy"
        comparison = pd.read_csv(here / "comparison.tsv", sep="\t")
        change = comparison[(comparison.role == "test") & (comparison.label == 0)].set_index("measure")
        teacher = int(change.against.iloc[0])
        print(ROW.format("mean over organs", "DSC", "NSD", "time, s", "peak RAM, MB"))
        for name, round_ in ((f"round {teacher}", f"round_{teacher}"), ("deploy student", "round_deploy")):
            summary = pd.read_csv(here.with_name(round_) / "summary.tsv", sep="\t")
            own = summary[(summary.role == "test") & (summary.label == 0)].set_index("measure")["mean"]
            cost = pd.read_csv(here.with_name(round_) / "efficiency.tsv", sep="\t")
            figures = f"{own.DSC:.4f}", f"{own.NSD:.4f}", f"{cost.seconds.mean():.1f}", f"{cost.peak_ram_mb.mean():.0f}"
            print(ROW.format(name, *figures))
    for measure, row in change.iterrows():
        print(f"{measure}: {row.difference:+.4f} [{row.ci_low:+.4f}, {row.ci_high:+.4f}], {row.n:.0f} scans")
    if change.difference.DSC < -LOSS:
        sys.exit(f"missed: at most {LOSS} less mean DSC than its teacher's round")


if __name__ == "__main__":
    main()
