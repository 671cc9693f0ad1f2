"""Which jobs have failed for good, and what is known of why, as Snakemake reports it.

Snakemake's log records name their event and carry its fields:
https://github.com/snakemake/snakemake-interface-logger-plugins
"""

import logging
import re
import signal
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noisy_student.running.disk import shortages
from noisy_student.running.job_name import job_name
from noisy_student.running.last_words import error_in, tail_of

EXIT_STATUS = re.compile(r"returned non-zero exit status (\d+)|died with <Signals\.(\w+)")
CLUSTER_STATUS = re.compile(r"SLURM status is: '(\w+)")
REFUSED = re.compile(r"SLURM sbatch failed\. The error message was '(.*?)'\.\n", re.DOTALL)
OUT_OF_MEMORY = "OUT_OF_MEMORY"
# Of SLURM's daemons, in the log of a job that has FAILED because a step of it ran out of memory.
MEMORY_WORDS = re.compile(r"error: .*(?:oom[-_]kill|tasks? [\d,-]+: Out Of Memory|exceeded .*memory limit)", re.I)
# A shell's exit status for a command that a signal has ended is this and the signal's number.
ENDED_BY_SIGNAL = 128


@dataclass(frozen=True)
class FailedJob:
    """A job that failed: rule and wildcards, its log, what ended it if it did not end itself, and lack of room.

    `refused` is what the cluster said if it did not take the job.
    """

    name: str
    log: Path
    ended_by: str = ""
    shortages: tuple[str, ...] = ()
    refused: str = ""

    @property
    def error(self) -> str:
        """What a person reads of it. Of a job that was refused its log, if any, is of an earlier try."""
        return self.refused or error_in(self.log)


class FailedJobs(logging.Handler):
    """Collects the jobs that failed, and did not succeed when they were tried again; room is asked at once.

    `folders` are those that jobs write to.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__()
        self.folders = folders
        self.failed: dict[int, FailedJob] = {}
        self._names: dict[int, str] = {}
        self._said: deque[str] = deque(maxlen=100)

    def emit(self, record: logging.LogRecord) -> None:
        """Note a job's name, an error, a job's end."""
        match getattr(record, "event", None):
            case "job_info":
                self._names[record.jobid] = job_name(record.rule_name, record.wildcards)
            case "error":
                self._said.append(record.getMessage())
            case "job_error":
                self.failed[record.jobid] = self._failed(record)
            case "job_finished":
                self.failed.pop(record.job_id, None)

    def _failed(self, record: Any) -> FailedJob:
        """A job's own log is its first; a cluster adds one. The path is whole: Snakemake leaves the folder at last."""
        log, *added = record.log
        said = [str(record.rule_msg), *(text for text in reversed(self._said) if log in text)]
        ended_by = next((cause for text in said if (cause := ending_of(text))), "")
        if not ended_by and any(_ran_out_of_memory(Path(path)) for path in added if path):
            ended_by = OUT_OF_MEMORY
        refused = REFUSED.search(said[0])
        name = self._names.get(record.jobid, record.rule_name)
        rooms = tuple(shortages(self.folders))
        return FailedJob(name, Path(log).absolute(), ended_by, rooms, refused[1] if refused else "")


def _ran_out_of_memory(log: Path) -> bool:
    """Whether SLURM says so in its own log of a job."""
    return log.is_file() and any(map(MEMORY_WORDS.search, tail_of(log)))


def ending_of(text: str) -> str:
    """The signal that ended a job's process, by its exit status, or SLURM's word for it; empty if it ended itself."""
    if found := CLUSTER_STATUS.search(text):
        return found[1] if found[1] != "FAILED" else ""
    if not (found := EXIT_STATUS.search(text)):
        return ""
    number = int(found[1] or 0) - ENDED_BY_SIGNAL
    return found[2] or (signal.Signals(number).name if number in set(signal.Signals) else "")
