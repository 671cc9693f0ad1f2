"""SLURM jobs of a run that its Snakemake no longer watches.

Snakemake may be killed while its jobs live on: they finish well, and what they made counts. Only a second copy of a
job that still runs would do harm.
"""

import os
import pwd
import re
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.lists import first_of
from noisy_student.running import typed

# Snakemake's jobs bear the identity of their run as name.
RUN_IDENTITY = re.compile(r"(?:[\w-]+_)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PROCESSES = Path("/proc")
ENDED = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}


@dataclass(frozen=True)
class ClusterJob:
    """A job in the queue: its number, state, which rule and wildcards it is for, and whose it is."""

    number: str
    state: str
    what: str
    user: str

    def __str__(self) -> str:
        return f"{self.number} ({self.state.lower()}) {self.what}{'' if self.is_own else f' of {self.user}'}"

    @property
    def is_own(self) -> bool:
        """Whether it may be cancelled."""
        return self.user == me()


def me() -> str:
    """The name of this process's user; the number, where it has none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def parse_queue(text: str, folder: Path) -> list[ClusterJob]:
    """The jobs of `squeue --format=%i|%T|%u|%j|%k|%Z` that Snakemake submitted from a folder and that live on."""
    rows = [line.strip().split("|", 5) for line in text.splitlines() if line.count("|") >= 5]
    return [
        ClusterJob(number, state, comment.removeprefix("rule_").replace("_wildcards_", " "), user)
        for number, state, user, name, comment, place in rows
        if RUN_IDENTITY.fullmatch(name) and Path(place) == folder and state not in ENDED
    ]


def jobs_left(folder: Path) -> list[ClusterJob]:
    """The jobs of this folder in the queue, whoever submitted and watches them."""
    command = ("squeue", "--noheader", "--format=%i|%T|%u|%j|%k|%Z")
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
            f"`{typed.start_on_slurm(folder)}` waits for those that run and goes on; with --cancel it ends your own",
        )


def living_snakemake(folder: Path) -> list[int]:
    """Processes of this machine that run Snakemake in a folder; not those by which it runs a single job."""
    return _snakemakes(folder)[0]


def _snakemakes(folder: Path) -> tuple[list[int], list[int]]:
    """Those that run Snakemake in a folder, and those of other persons, of which it is not told where they run it."""
    found: tuple[list[int], list[int]] = ([], [])
    for process in PROCESSES.glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if any(Path(os.fsdecode(word)).name == "snakemake" for word in words[:3]) and b"--mode" not in words:
                try:
                    is_here = (process / "cwd").readlink() == folder.resolve()
                except PermissionError:
                    found[1].append(int(process.name))
                else:
                    found[0].extend([int(process.name)] * is_here)
    return found


def refuse_two_snakemakes(folder: Path) -> None:
    """Raise if Snakemake is at work in this folder, or may be: it is locked, and another person's is at work."""
    processes, may_be_here = _snakemakes(folder)
    if may_be_here and not processes and any((folder / ".snakemake/locks").glob("*")):
        raise InputError(
            f"no Snakemake at work in {folder.resolve()}, which is locked",
            f"process {', '.join(map(str, may_be_here))} of another person on this machine, who may work here",
            "ask whose it is; if none works here, `snakemake --unlock`, and start again",
        )
    if processes:
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
    """Return when no job of this folder is left. Those that still wait for a node are cancelled, as nothing is lost.

    Other persons' jobs are waited for alone.
    """
    told: set[ClusterJob] = set()
    while jobs := jobs_left(folder):
        cancel([job for job in jobs if job.is_own], *(() if cancel_running else ("--state=PENDING",)))
        for job in sorted(set(jobs) - told, key=lambda job: job.number):
            ends = job.is_own and (cancel_running or job.state == "PENDING")
            what = "cancelling" if ends else "waiting for"
            print(f"{what} SLURM job {job}", file=sys.stderr, flush=True)
        told |= set(jobs)
        time.sleep(poll_seconds)
