"""The lock that a Snakemake leaves when it is killed: said with the command that takes it away."""

import os
import sys
from pathlib import Path

from noisy_student.running.at_exit import at_exit_of_this_process
from noisy_student.running.cluster import living_snakemake


def tell_at_exit(folder: Path, command: str) -> None:
    """Say at the exit of this process, after Snakemake has refused to start, when and how its lock is taken away."""
    at_exit_of_this_process(_tell, folder, command)


def _tell(folder: Path, command: str) -> None:
    if may_be_left(folder):
        print(
            "The folder is locked: by a Snakemake that works here (another person's, or on another machine), or by one "
            f"that was killed. Only if none works here: `{command} --unlock`, then the same command again; what is "
            "finished is not done again",
            file=sys.stderr,
        )


def may_be_left(folder: Path) -> bool:
    """Whether there is a lock, and no other process of this machine that is known to run Snakemake in the folder."""
    is_locked = any((folder / ".snakemake/locks").glob("*"))
    return is_locked and not set(living_snakemake(folder)) - {os.getpid()}
