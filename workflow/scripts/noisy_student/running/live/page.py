"""A run's live page: written in Snakemake's own process from what Snakemake says of jobs and what lies on disk.

No job does anything for it. It is one file that a browser opens from a disk and that loads itself again. How long
ago it was written it finds out there, so it says so, too, when nobody is left to write it.
"""

import os
import shutil
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from noisy_student.files import remove_unfinished, write_text
from noisy_student.running.at_exit import at_exit_of_this_process
from noisy_student.running.banner import LIVE
from noisy_student.running.beat import LONGEST_SECONDS, REST, Beat
from noisy_student.running.ending import Ending
from noisy_student.running.failed_jobs import FailedJob
from noisy_student.running.live.jobs import Job, States, needed_by_rounds, planned
from noisy_student.running.live.pace import Pace, pace
from noisy_student.running.live.rounds import in_words, place, with_role
from noisy_student.running.live.time_left import time_left, usual_seconds
from noisy_student.running.live.trainings import Length, Training, seconds_a_step, trainings
from noisy_student.running.live.warnings import warnings
from noisy_student.running.rows import rows
from noisy_student.sizes import size_in_words, time_in_words

Part = TypeVar("Part")
TEMPLATES = Path(__file__).parents[4] / "report"
TRAIN, LABEL = "train", "label"
# A student is trained on what was labelled and selected before.
ORDER = ("cohort", "plan", "label", "select", "train", "evaluate", "efficiency", "review", "report", "export")
# Beyond what a beat may take, so that a busy disk is no end of the run.
SILENCE_SECONDS = 300
MOST_FAILED = 10
WIDTH, HEIGHT, MOST_POINTS = 220, 44, 150


@dataclass(frozen=True)
class Running:
    """A job at work: since when, with which log, and what it has said of its pace."""

    job: Job
    since: float
    log: Path | None
    pace: Pace | None


class LivePage:
    """Keeps the page of the run in `folder` up to date from `begin` on until Snakemake's process ends."""

    def __init__(self, folder: Path, command: str, lengths: Mapping[str, Length], ending: Ending) -> None:
        self.folder, self.command, self.lengths, self.ending = folder, command, lengths, ending
        self.results, self.page = folder / "results", folder / LIVE
        self.beat = Beat(f"{LIVE} could not be written", self.write)
        self.states = States(self.beat.wake)
        self.started, self.over = time.time(), ""
        self.jobs: dict[int, Job] = {}
        self.labelled: dict[int, Pace | None] = {}
        self.unread: list[str] = []
        self.kept: Collection[tuple[str, int]] = ()

    def begin(self, workflow: Any, kept: Collection[tuple[str, int]] = ()) -> None:
        """From now on the page is kept up to date; at the exit it says how the run ended.

        `kept`: rounds and folds whose training is there as it is wanted, so that its job does what is left of it.
        """
        self.kept = kept
        try:
            remove_unfinished(self.page.parent)
            self.jobs = planned(workflow)
        except Exception as error:
            self.beat.tell(error)
            return
        self.beat.start()
        at_exit_of_this_process(self._end)

    def _end(self) -> None:
        self.over = self._how_it_ended()
        self.beat.end()

    def _how_it_ended(self) -> str:
        if self.ending.done:
            return "done"
        return f"interrupted ({self.ending.interrupted_by})" if self.ending.interrupted_by else "not finished"

    def write(self) -> None:
        """Write the page once."""
        self.unread = []
        values = self.values()
        write_text(self.page, _template().render(**values, unread=self.unread))

    def values(self) -> dict[str, Any]:
        """What stands on the page."""
        since, finished, errors = self.states.copy()
        failed = self._failed(since)
        running = {} if self.over else {number: at for number, at in since.items() if number in self.jobs}
        done = {job.number for job in self.jobs.values() if job.is_made} | finished & set(self.jobs)
        trained = self._read("the trainings' tables", lambda: trainings(self.results, self.lengths), [])
        at_work = [self._running(number, at) for number, at in sorted(running.items(), key=lambda item: item[1])]
        left, unknown = self._read("results/jobs.tsv", lambda: self._time_left(done, at_work, trained), (None, 0))
        now = time.time()
        return {
            "folder": self.folder,
            "command": self.command,
            "over": self.over,
            "report": (self.page.parent / "report.html").exists(),
            "written": now,
            "silence": SILENCE_SECONDS + 2 * max(REST * self.beat.took, LONGEST_SECONDS),
            "started": moment(self.started),
            "at": moment(now),
            "elapsed": time_in_words(now - self.started),
            "done": len(done),
            "jobs": len(self.jobs),
            "left": left,
            "until": moment(now + left) if left else "",
            "unknown": unknown,
            "scans_a_minute": self._scans_a_minute(at_work, finished | set(failed)),
            "disk": self._read("the disk's room", lambda: shutil.disk_usage(self.results), None),
            "stages": self._stages(done, set(running), set(failed)),
            "running": at_work,
            "trained": [(training, curve(training)) for training in trained],
            "failed": [(job, self._relative(job.log), job.error) for job in [*failed.values()][:MOST_FAILED]],
            "more_failed": max(0, len(failed) - MOST_FAILED),
            "warnings": [
                *self._read(
                    "the tables of warnings", lambda: warnings(self.results, self._rounds(), trained), []
                ),
                *(f"{self.jobs[number].name} failed and was tried again." for number in errors
                  if number in self.jobs and number not in failed and not self.ending.interrupted_by),
            ],
            "round": in_words,
            "relative": self._relative,
            "time": time_in_words,
            "pace": in_few_digits,
            "size": size_in_words,
            "machine": socket.gethostname(),
            "now": now,
        }  # fmt: skip

    def _failed(self, running: Collection[int]) -> dict[int, FailedJob]:
        """Jobs that failed and are not at it again; of an interrupted run those that had failed before."""
        failed = {number: job for number, job in dict(self.ending.jobs.failed).items() if number not in running}
        before = self.ending.failed_before
        return {n: job for n, job in failed.items() if job in before} if self.ending.interrupted_by else failed

    def _read(self, what: str, read: Callable[[], Part], otherwise: Part) -> Part:
        """What is read from disk; one part that cannot be read does not take the others away."""
        try:
            return read()
        except Exception as error:
            self.unread.append(f"{what}: {' '.join(str(error).split()) or type(error).__name__}")
            return otherwise

    def _rounds(self) -> Sequence[str]:
        return sorted({job.round for job in self.jobs.values() if job.round is not None}, key=place)

    def _running(self, number: int, since: float) -> Running:
        log = self.states.logs.get(number)
        said = self._read(f"{log}", lambda: pace(log, since), None) if log else None
        return Running(self.jobs[number], since, log, said)

    def _scans_a_minute(self, at_work: Sequence[Running], ended: set[int]) -> tuple[float, str] | None:
        """How many are labelled, in all jobs at it; else in the one that ended last."""
        now = [one.pace for one in at_work if one.pace and one.job.stage == LABEL]
        if now:
            return sum(said.a_minute for said in now), f"{len(now)} job{'s' * (len(now) > 1)} at it"
        for number in ended & {job.number for job in self.jobs.values() if job.stage == LABEL} - set(self.labelled):
            log = self.states.logs[number]
            self.labelled[number] = self._read(f"{log}", partial(pace, log, 0), None)
        before = [(self.jobs[number], said) for number, said in self.labelled.items() if said]
        return (before[-1][1].a_minute, f"in {before[-1][0].name}, which has ended") if before else None

    def _time_left(
        self, done: set[int], at_work: Sequence[Running], trained: Sequence[Training]
    ) -> tuple[float | None, int]:
        """Seconds, at least; and of how many jobs nothing is known yet. No time where that is most of them."""
        if self.over:
            return None, 0
        usual, a_step = usual_seconds(rows(self.results / "jobs.tsv")), seconds_a_step(trained)
        begun = {(training.round, training.fold): training for training in trained}
        since = {job.job.number: job for job in at_work}
        to_do = {number: job for number, job in self.jobs.items() if number not in done}
        seconds = {number: self._seconds(job, since.get(number), usual, a_step, begun) for number, job in to_do.items()}
        known = {number: own for number, own in seconds.items() if own is not None}
        return time_left(self.jobs, known) if 2 * len(known) >= len(to_do) else None, len(to_do) - len(known)

    def _seconds(
        self,
        job: Job,
        running: Running | None,
        usual: Mapping[str, float],
        a_step: Mapping[str, float],
        begun: Mapping[tuple[str, int], Training],
    ) -> float | None:
        """What a job takes yet: by what it says itself, else by jobs like it that have ended."""
        if job.rule == TRAIN and job.round in self.lengths:
            of = (job.round, int(job.wildcards["fold"]))
            own = begun.get(of) if running or of in self.kept else None
            if own and own.seconds_left is not None:
                return own.seconds_left
            length = self.lengths[job.round]
            return length.steps * a_step[length.network] if length.network in a_step else None
        if running and running.pace:
            return running.pace.seconds_left
        expected = usual.get(job.rule)
        return expected and max(0.0, expected - (time.time() - running.since if running else 0.0))

    def _stages(self, done: set[int], running: set[int], failed: set[int]) -> list[dict[str, Any]]:
        """The stages in the order of the story: those before the rounds, each round's, and those after."""
        groups: dict[tuple[float, str], dict[str, set[int]]] = {}
        needed = needed_by_rounds(self.jobs)
        for job in self.jobs.values():
            groups.setdefault(_group(job, job.number in needed), {}).setdefault(job.stage, set()).add(job.number)
        return [
            {
                "name": name,
                "stages": [
                    {
                        "name": stage,
                        "jobs": len(numbers),
                        "done": len(numbers & done),
                        "running": len(numbers & running),
                        "failed": len(numbers & failed),
                    }
                    for stage, numbers in sorted(stages.items(), key=lambda item: _position(item[0]))
                ],
            }
            for (_, name), stages in sorted(groups.items())
        ]

    def _relative(self, path: Path) -> str:
        """Where a file lies as the page links to it."""
        return os.path.relpath(path, self.page.parent)


def _group(job: Job, is_needed: bool) -> tuple[float, str]:
    if job.round is not None:
        return place(job.round), with_role(job.round)
    return (-1, "Before the rounds") if is_needed else (float("inf"), "After the rounds")


def _position(stage: str) -> tuple[int, str]:
    return ORDER.index(stage) if stage in ORDER else len(ORDER), stage


def moment(seconds: float) -> str:
    """A moment on this machine's clock, with its day."""
    return time.strftime("%a %d %b, %H:%M", time.localtime(seconds))


def in_few_digits(number: float) -> str:
    """`0.21`, `3.6`, `45`, `1,050`."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def curve(training: Training) -> list[str]:
    """Training and validation loss over epochs as points of an SVG polyline of `WIDTH` × `HEIGHT`, down is less."""
    series = [training.training_loss, training.validation_loss]
    values = [value for one in series for value in one if abs(value) < float("inf")]
    if len(values) < 2 * len(series):
        return []
    low, high = min(values), max(values)
    every = max(1, training.epochs // MOST_POINTS)
    across, down = WIDTH / max(1, training.length.epochs - 1), HEIGHT / (high - low or 1)
    return [
        " ".join(
            f"{epoch * across:.1f},{(high - value) * down:.1f}"
            for epoch, value in list(enumerate(one))[::every]
            if abs(value) < float("inf")
        )
        for one in series
    ]


@cache
def _template() -> Any:
    """The page's template. Only who writes the page loads jinja2, not each job that reads the workflow."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    return environment.get_template("live.html.j2")
