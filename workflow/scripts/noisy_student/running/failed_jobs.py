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
from noisy_student.running.last_words import tail_of

EXIT_STATUS = re.compile(r"returned non-zero exit status (\d+)|died with <Signals\.(\w+)")
CLUSTER_STATUS = re.compile(r"SLURM status is: '(\w+)")
REFUSED = re.compile(r"SLURM sbatch failed\. The error message was '(.*?)'\.\n", re.DOTALL)
# Of a step that ran out of memory SLURM says so in the job's own log, and calls the job FAILED.
OUT_OF_MEMORY = "OUT_OF_MEMORY"
KILLED_FOR_MEMORY = re.compile(r"oom[-_]kill|task \d+: Out Of Memory", re.IGNORECASE)
# A shell's exit status for a command that a signal has ended is this and the signal's number.
ENDED_BY_SIGNAL = 128


@dataclass(frozen=True)
class FailedJob:
    """A job that failed: rule and wildcards, its log, what ended it if it did not end itself, and lack of room.

    `refused`: why a cluster did not take it, if so.
    """

    name: str
    log: Path
    ended_by: str = ""
    shortages: tuple[str, ...] = ()
    refused: str = ""


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
        log = record.log[0]
        said = [str(record.rule_msg), *(text for text in reversed(self._said) if log in text)]
        ended_by = next((cause for text in said if (cause := ending_of(text))), "")
        if not ended_by and any(KILLED_FOR_MEMORY.search("\n".join(tail_of(Path(path)))) for path in record.log[1:]):
            ended_by = OUT_OF_MEMORY
        refused = REFUSED.search(str(record.rule_msg))
        name = self._names.get(record.jobid, record.rule_name)
        room = tuple(shortages(self.folders))
        return FailedJob(name, Path(log).absolute(), ended_by, room, refused[1].strip() if refused else "")


def ending_of(text: str) -> str:
    """The signal that ended a job's process, by its exit status, or SLURM's word for it; empty if it ended itself."""
    if found := CLUSTER_STATUS.search(text):
        return found[1] if found[1] != "FAILED" else ""
    if not (found := EXIT_STATUS.search(text)):
        return ""
    number = int(found[1] or 0) - ENDED_BY_SIGNAL
    return found[2] or (signal.Signals(number).name if number in set(signal.Signals) else "")
