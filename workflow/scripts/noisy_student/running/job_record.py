"""Every job of a run with its time and how it ended, as Snakemake reports it.

Snakemake's log records name their event and carry its fields:
https://github.com/snakemake/snakemake-interface-logger-plugins
"""

import csv
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from noisy_student.files import write_text
from noisy_student.running.job_name import wildcards_in_words

COLUMNS = ("rule", "wildcards", "state", "started", "seconds")


class JobRecord(logging.Handler):
    """Adds a row to the table at `path` whenever a job ends, `finished` or `failed`; later runs add to it.

    `seconds` count from when Snakemake handed the job over: on a cluster they hold its time in the queue. A job that
    was killed together with Snakemake leaves no row; a row that a power cut left half written is taken away.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.running: dict[int, tuple[float, dict[str, str]]] = {}
        if path.exists() and not (text := path.read_text()).endswith("\n"):
            write_text(path, text[: text.rfind("\n") + 1])

    def emit(self, record: logging.LogRecord) -> None:
        """Note a job's start, write its end."""
        match getattr(record, "event", None):
            case "job_info":
                self._start(record)
            case "job_finished":
                self._end(record, record.job_id, "finished")
            case "job_error":
                self._end(record, record.jobid, "failed")

    def _start(self, record: Any) -> None:
        about = {"rule": record.rule_name, "wildcards": wildcards_in_words(record.wildcards)}
        self.running[record.jobid] = time.time(), about

    def _end(self, record: logging.LogRecord, job: int, state: str) -> None:
        if job not in self.running:
            return
        started, about = self.running.pop(job)
        moment = datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds")
        row = about | {"state": state, "started": moment, "seconds": f"{time.time() - started:.1f}"}
        try:
            self._append(row)
        except OSError:
            self.handleError(record)

    def _append(self, row: dict[str, str]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists() or not self.path.stat().st_size
        with self.path.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, delimiter="\t", lineterminator="\n")
            if is_new:
                writer.writeheader()
            writer.writerow(row)
