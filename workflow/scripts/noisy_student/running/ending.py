"""How a run ended, said after everything else: what a person reads first stands last."""

import signal
import sys
from pathlib import Path
from types import FrameType

from noisy_student.running import banner, oom
from noisy_student.running.at_exit import at_exit_of_this_process
from noisy_student.running.disk import shortages
from noisy_student.running.failed_jobs import FailedJob, FailedJobs

CAUSES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}


class Ending:
    """Says at the exit of Snakemake's process whether and why the run has failed, unless it was done.

    At the exit, since Snakemake itself says more after its hooks, and ends without them where it has an error itself.
    """

    def __init__(self, folder: Path, command: str) -> None:
        self.folder, self.command = folder, command
        self.jobs = FailedJobs([folder / name for name in ("results", "logs", ".snakemake")])
        self.log, self.done = "", False
        self.interrupted_by = ""
        self.failed_before: list[FailedJob] = []

    def begin(self, log: str) -> None:
        """From now on an end is noticed; `log` is Snakemake's own."""
        self.log, self.kills_before = log, oom.kills()
        for number in CAUSES:
            self._notice(number)
        at_exit_of_this_process(self._say)

    def finish(self, whole: str) -> None:
        """The run is done; `whole` is the command for everything up to the report."""
        self.done = True
        print(banner.finished(self.folder, self.log, whole), file=sys.stderr)

    def _notice(self, number: signal.Signals) -> None:
        """Note a signal, and leave what follows to whom it was for."""
        follow = signal.getsignal(number)

        def noticed(number: int, frame: FrameType | None) -> None:
            if not self.interrupted_by:
                self.interrupted_by, self.failed_before = CAUSES[signal.Signals(number)], self._failed()
            if callable(follow):
                follow(number, frame)

        signal.signal(number, noticed)

    def _failed(self) -> list[FailedJob]:
        return list(self.jobs.failed.values())

    def _say(self) -> None:
        if not self.done:
            print(self._words(), file=sys.stderr, flush=True)

    def _words(self) -> str:
        if self.interrupted_by:
            return banner.interrupted(self.interrupted_by, self.command, self.failed_before)
        rooms = [room for job in self._failed() for room in job.shortages] or shortages(self.jobs.folders)
        return banner.failed(self.folder, self.log, self._failed(), rooms, oom.kills() - self.kills_before)
