"""Run the workflow on a SLURM cluster, or go on with a run whose Snakemake was killed: start_on_slurm.py [TARGET…]

Waits for the jobs that an earlier Snakemake in this folder left running (what they make counts), cancels those that it
left waiting, takes its lock away, and becomes `snakemake --workflow-profile profiles/slurm`. All other arguments go to
Snakemake. A second one in the same folder is refused.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from noisy_student.command import run
from noisy_student.files import only_one
from noisy_student.running.cluster import RESTART, refuse_two_snakemakes, wait_for_jobs
from noisy_student.running.command_line import misread

LOCK = Path(".snakemake/start_on_slurm/lock")


def remove_stale_lock(snakemake: list[str]) -> None:
    """Take away the lock of a Snakemake that was killed."""
    if any(Path(".snakemake/locks").glob("*")):
        subprocess.run([*snakemake, "--unlock"], check=True)


def main() -> None:
    """Wait, unlock, and become Snakemake."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--cancel", action="store_true", help="cancel the jobs that were left running, too")
    parser.add_argument("--poll", type=float, default=10, metavar="SECONDS", help="how often to look (default: 10)")
    arguments, further = parser.parse_known_args()
    if problem := misread(further, RESTART, "slurm"):
        sys.exit(problem)
    snakemake = ["snakemake", "--workflow-profile", "profiles/slurm", *further]
    with only_one(LOCK) as descriptor:
        refuse_two_snakemakes(Path.cwd())
        wait_for_jobs(Path.cwd(), arguments.cancel, arguments.poll)
        remove_stale_lock(snakemake)
        # The lock is held as long as Snakemake lives.
        os.set_inheritable(descriptor, True)
        os.execvp(snakemake[0], snakemake)


if __name__ == "__main__":
    run(main)
