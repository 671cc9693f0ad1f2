"""Write down what made these results: versions, machine, command, configuration, sets, checksums, jobs with times."""

import argparse
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import torch

from noisy_student.command import run
from noisy_student.files import read_json, sha256, write_text
from noisy_student.fold_files import VERSIONS
from noisy_student.machine import cpu_name
from noisy_student.model.checkpoint_names import FINAL_CHECKPOINT
from noisy_student.sets import sizes
from noisy_student.tables import read_table
from noisy_student.train.origins import CORRECTED
from noisy_student.versions import PROJECT, versions


def machine() -> dict[str, Any]:
    """The machine that this runs on."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "system": f"{platform.system()} {platform.release()}",
        "cpu": cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "ram_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": gpu,
    }


def git_commit(folder: Path) -> str | None:
    """The commit of the workflow in `folder`, with `+` if files were changed since; nothing outside of git.

    What git has written out without a repository names its commit; a repository further up is another's.
    """
    if not (folder / ".git").exists():
        written_out = folder / ".git_archival.txt"
        commit = written_out.read_text().strip() if written_out.exists() else "$"
        return None if commit.startswith("$") else commit
    commands = (["git", "rev-parse", "HEAD"], ["git", "status", "--porcelain", "--untracked-files=no"])
    try:
        commit, changes = (
            subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
            for command in commands
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return commit + ("+" if changes else "")


def jobs(path: Path) -> list[dict[str, Any]]:
    """Every job that has ended so far, in the order of their ends; none where nothing was recorded."""
    if not path.exists():
        return []
    table = read_table(path, ("rule", "wildcards", "state", "started", "seconds"))
    return table.fillna("").to_dict("records")


def labels(files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Whose labels each trained round, of which `files` has checkpoints, learned from.

    Its training set's checksum, which stands for those of all label maps, how many scans are of which origin, and the
    label maps that had been corrected by hand, by checksum.
    """
    rounds = sorted({path.parents[2] for path in files if path.name == FINAL_CHECKPOINT})
    sets = {folder.name: folder / "dataset/training_set.tsv" for folder in rounds}
    return {name: _labels(path) for name, path in sets.items() if path.exists()}


def _labels(training_set: Path) -> dict[str, Any]:
    table = read_table(training_set, ("case", "origin", "sha256"))
    corrected = table[table.origin == CORRECTED]
    return {
        "training_set": sha256(training_set),
        "scans": table.origin.value_counts(sort=False).to_dict(),
        "corrected": dict(zip(corrected.case, corrected.sha256, strict=True)),
    }


def trained_with(files: Iterable[Path]) -> dict[str, list[dict[str, str]]]:
    """The versions with which each fold was trained, of which `files` has the checkpoint; several if it went on later.

    They may be others than the record's: a training is kept when packages change. Older trainings do not say them.
    """
    folds = [path.parent for path in files if path.name == FINAL_CHECKPOINT]
    said = {f"{fold.parents[1].name}/{fold.name}": fold / VERSIONS for fold in folds}
    return {name: read_json(path) for name, path in said.items() if path.exists()}


def main() -> None:
    """Read the arguments and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", help="results whose checksums are recorded")
    parser.add_argument("--configuration", type=json.loads, required=True)
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--jobs", type=Path, required=True, help="table of the jobs that ended")
    parser.add_argument("--call", type=Path, required=True, help="how the run was started")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    ended = jobs(arguments.jobs)
    record = {
        "project": PROJECT,
        "git_commit": git_commit(Path(__file__).parents[2]),
        "started": min((job["started"] for job in ended), default=None),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": arguments.configuration["seed"],
        "rounds": len(arguments.configuration["rounds"]),
        "versions": versions(),
        "trained_with": trained_with(arguments.files),
        "machine": machine(),
        "call": read_json(arguments.call) if arguments.call.exists() else None,
        "configuration": arguments.configuration,
        "sets": sizes(read_table(arguments.cases, ("role", "source"))),
        "labels": labels(arguments.files),
        "checksums": {str(path): sha256(path) for path in arguments.files},
        "jobs": ended,
    }
    write_text(arguments.output, json.dumps(record, indent=2))


if __name__ == "__main__":
    run(main)
