"""Run the workflow on a SLURM cluster, or go on with a run whose Snakemake was killed: start_on_slurm.py [TARGET…]

Waits for the jobs that an earlier Snakemake in the run's folder left running (what they make counts), cancels those
that it left waiting, takes its lock away, and becomes Snakemake with this workflow and its profile for SLURM, unless
the arguments name others: all that are not listed below go to Snakemake. A second one in the same folder is refused.
"""

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

from noisy_student.command import run
from noisy_student.files import only_one
from noisy_student.running.cluster import refuse_two_snakemakes, wait_for_jobs
from noisy_student.running.command_line import misread, taken
from noisy_student.running.typed import ROOT

PROFILE = ROOT / "profiles/slurm"
LOCK = Path(".snakemake/start_on_slurm/lock")
DRY = {"-n", "--dry-run", "--dryrun"}


def remove_stale_lock(folder: Path, snakemake: list[str]) -> None:
    """Take away the lock of a Snakemake that was killed."""
    if any((folder / ".snakemake/locks").glob("*")):
        subprocess.run([*snakemake, "--unlock"], check=True)


def own_files(given: list[str]) -> list[str]:
    """The workflow's own Snakefile and profile, as options, where others are not given."""
    snakefile = [] if taken(given, ("--snakefile", "-s"))[0] else ["--snakefile", str(ROOT / "Snakefile")]
    profile = [] if taken(given, ("--workflow-profile",))[0] else ["--workflow-profile", str(PROFILE)]
    return [*snakefile, *profile]


def main() -> None:
    """Wait, unlock, and become Snakemake."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--directory", "-d", type=Path, metavar="DIR", help="the run's folder (default: this one)")
    parser.add_argument("--cancel", action="store_true", help="cancel the jobs that were left running, too")
    parser.add_argument("--poll", type=float, default=10, metavar="SECONDS", help="how often to look (default: 10)")
    arguments, further = parser.parse_known_args()
    folder = arguments.directory or Path.cwd()
    directory = ["--directory", str(folder)] if arguments.directory else []
    if problem := misread([*directory, *further], shlex.join(["python", sys.argv[0]]), str(PROFILE)):
        sys.exit(problem)
    snakemake = ["snakemake", *own_files(further), *directory, *further]
    if DRY & {*further}:
        os.execvp(snakemake[0], snakemake)
    with only_one(folder / LOCK) as descriptor:
        refuse_two_snakemakes(folder)
        wait_for_jobs(folder, arguments.cancel, arguments.poll)
        remove_stale_lock(folder, snakemake)
        # The lock is held as long as Snakemake lives.
        os.set_inheritable(descriptor, True)
        os.execvp(snakemake[0], snakemake)


if __name__ == "__main__":
    run(main)
