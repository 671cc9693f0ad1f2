"""SLURM jobs of a run that its Snakemake no longer watches.

Snakemake may be killed while its jobs live on: they finish well, and what they made counts. Only a second copy of a
job that still runs would do harm.
"""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.lists import first_of
from noisy_student.running import typed

# Snakemake's jobs bear the identity of their run as name.
RUN_IDENTITY = re.compile(r"(?:[\w-]+_)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ENDED = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}


@dataclass(frozen=True)
class ClusterJob:
    """A job in the queue: its number, state, and which rule and wildcards it is for."""

    number: str
    state: str
    what: str

    def __str__(self) -> str:
        return f"{self.number} ({self.state.lower()}) {self.what}"


def parse_queue(text: str, folder: Path) -> list[ClusterJob]:
    """The jobs of `squeue --format=%i|%T|%j|%k|%Z` that Snakemake submitted from a folder and that have not ended."""
    rows = [line.strip().split("|", 4) for line in text.splitlines() if line.count("|") >= 4]
    return [
        ClusterJob(number, state, comment.removeprefix("rule_").replace("_wildcards_", " "))
        for number, state, name, comment, place in rows
        if RUN_IDENTITY.fullmatch(name) and Path(place) == folder and state not in ENDED
    ]


def jobs_left(folder: Path) -> list[ClusterJob]:
    """The user's jobs of this folder in the queue, whoever watches them."""
    command = ("squeue", "--me", "--noheader", "--format=%i|%T|%j|%k|%Z")
    try:
        listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", None) or str(error)
        raise InputError("SLURM's queue", f"squeue failed: {detail.strip()}", "try again on a login node") from error
    return parse_queue(listed.stdout, folder.resolve())


def refuse_second_copies(folder: Path) -> None:
    """Raise if jobs of this folder are still in the queue."""
    jobs = jobs_left(folder)
    if jobs:
        raise InputError(
            "no SLURM job of an earlier Snakemake in this folder",
            f"{len(jobs)} in the queue: {first_of(jobs, 5)}",
            f"`{typed.start_on_slurm(folder)}` waits for those that run and goes on; with --cancel it ends them first",
        )


def living_snakemake(folder: Path) -> list[int]:
    """Processes of this machine that run Snakemake in a folder; not those by which it runs a single job."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if any(Path(os.fsdecode(word)).name == "snakemake" for word in words[:3]) and b"--mode" not in words:
                found += [int(process.name)] if (process / "cwd").readlink() == folder.resolve() else []
        except OSError:
            continue
    return found


def refuse_two_snakemakes(folder: Path) -> None:
    """Raise if Snakemake is at work in this folder."""
    if processes := living_snakemake(folder):
        raise InputError(
            f"no Snakemake at work in {folder.resolve()}",
            f"process {', '.join(map(str, processes))} on this machine",
            "let it go on; or end it with Ctrl-C, once, and start again",
        )


def cancel(jobs: list[ClusterJob], *options: str) -> None:
    """Cancel jobs."""
    if jobs:
        subprocess.run(("scancel", *options, *(job.number for job in jobs)), check=False, timeout=60)


def wait_for_jobs(folder: Path, cancel_running: bool, poll_seconds: float) -> None:
    """Return when no job of this folder is left. Those that still wait for a node are cancelled, as nothing is lost."""
    told: set[ClusterJob] = set()
    while jobs := jobs_left(folder):
        cancel(jobs, *(() if cancel_running else ("--state=PENDING",)))
        for job in sorted(set(jobs) - told, key=lambda job: job.number):
            what = "cancelling" if cancel_running or job.state == "PENDING" else "waiting for"
            print(f"{what} SLURM job {job}", file=sys.stderr, flush=True)
        told |= set(jobs)
        time.sleep(poll_seconds)
