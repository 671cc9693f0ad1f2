"""The jobs of a run as Snakemake has planned them, and how far they are.

Snakemake's log records name their event and carry its fields:
https://github.com/snakemake/snakemake-interface-logger-plugins
"""

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noisy_student.running.job_name import job_name


@dataclass(frozen=True)
class Job:
    """A job: what it does, the numbers of those that it waits for, and whether there is anything to do.

    `shares` has, of each resource that the run has so much of, the part that the job takes.
    """

    number: int
    rule: str
    stage: str
    wildcards: Mapping[str, str]
    needs: frozenset[int] = frozenset()
    shares: Mapping[str, float] | None = None
    is_made: bool = False

    @property
    def round(self) -> str | None:
        """The round that it is for, if it is for one."""
        return self.wildcards.get("round")

    @property
    def name(self) -> str:
        """Its rule, and what tells it from other jobs of the rule."""
        return job_name(self.rule, self.wildcards)


def planned(workflow: Any) -> dict[int, Job]:
    """The jobs of Snakemake's plan that make something, by number. A stage is a rule's file."""
    dag = workflow.dag
    limits = {name: limit for name, resource in workflow.global_resources.items() if (limit := _amount(resource))}
    return {
        dag.jobid(job): Job(
            dag.jobid(job),
            job.rule.name,
            Path(job.rule.snakefile).stem,
            job.wildcards_dict,
            frozenset(dag.jobid(other) for other in dag.dependencies[job]),
            {name: min(1.0, _amount(job.rule.resources.get(name)) / limit) for name, limit in limits.items()},
            not dag.needrun(job),
        )
        for job in dag.jobs
        if job.output
    }


def _amount(resource: Any) -> int:
    """How much of a resource there is, or is taken; 0 where that is nothing, without limit, or known only later."""
    if resource is None or resource.is_evaluable():
        return 0
    return resource.value if isinstance(resource.value, int) and resource.value < sys.maxsize else 0


def needed_by_rounds(jobs: Mapping[int, Job]) -> set[int]:
    """The jobs that any job of a round waits for, and those that these wait for; all where there is no round."""
    if all(job.round is None for job in jobs.values()):
        return set(jobs)
    needed: set[int] = set()
    ahead = {number for job in jobs.values() if job.round is not None for number in job.needs}
    while ahead:
        needed |= ahead
        ahead = {number for other in ahead if other in jobs for number in jobs[other].needs} - needed
    return needed


class States(logging.Handler):
    """Notes which jobs run, since when and with which log, and which have ended; `tell` is called when one has."""

    def __init__(self, tell: Callable[[], object]) -> None:
        super().__init__()
        self.tell = tell
        self.running: dict[int, float] = {}
        self.finished: set[int] = set()
        self.errors: Counter[int] = Counter()
        self.logs: dict[int, Path] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Note a start or an end."""
        try:
            match getattr(record, "event", None):
                case "job_info":
                    self._start(record)
                case "job_finished":
                    self.finished.add(record.job_id)
                    self._end(record.job_id)
                case "job_error":
                    self.errors[record.jobid] += 1
                    self._end(record.jobid)
        except Exception:
            self.handleError(record)

    def _start(self, record: Any) -> None:
        for path in record.log[:1]:
            # Whole, since Snakemake may be in another folder when it is read.
            self.logs[record.jobid] = Path(path).absolute()
        self.running[record.jobid] = time.time()

    def _end(self, number: int) -> None:
        self.running.pop(number, None)
        self.tell()

    def copy(self) -> tuple[dict[int, float], set[int], Counter[int]]:
        """Which jobs run and since when, which have finished, and how often which failed, all at one moment."""
        with self.lock:
            return dict(self.running), set(self.finished), Counter(self.errors)
