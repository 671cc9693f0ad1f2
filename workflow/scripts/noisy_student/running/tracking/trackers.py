"""The trackers there are, and how one is fed while a run goes on: by the command that a person can type, too."""

import os
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from noisy_student.errors import InputError, last_line
from noisy_student.running.at_exit import at_exit_of_this_process
from noisy_student.running.beat import Beat
from noisy_student.running.ending import Ending
from noisy_student.running.tracking.tracked import tracked

# What brings the package of each.
PACKAGES = {"tensorboard": "tensorboard", "mlflow": "mlflow-skinny", "wandb": "wandb"}
# Their packages read these when they are imported: nothing about the use of this machine is sent anywhere.
SILENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "WANDB_SILENT": "true",
    "WANDB_ERROR_REPORTING": "false",
}
SCRIPT = Path(__file__).parents[3] / "track.py"
PATIENCE_SECONDS = 300


def require_packages(places: Mapping[str, str]) -> None:
    """Raise InputError unless the package of each tracker is installed where this runs."""
    if missing := [name for name in places if find_spec(name) is None]:
        packages = " ".join(PACKAGES[name] for name in missing)
        raise InputError(
            f"the packages of the trackers {', '.join(places)} (`tracking`) where Snakemake runs",
            f"none of {', '.join(missing)} in {sys.prefix}",
            f"`{sys.executable} -m pip install {packages}`, or take {', '.join(missing)} out of `tracking`",
        )


def give(results: Path, places: Mapping[str, str], rounds: Collection[str] = ()) -> dict[str, int]:
    """Give each tracker what it has not got, of all rounds or of these; of each, how many trainings and scores it has.

    Raises InputError where a tracker could not be given all, when the others have been.
    """
    all_of_run = list(tracked(results, rounds))
    failed = {}
    for name, place in places.items():
        try:
            give_one = _giver(name)
            for one in all_of_run:
                give_one(one, place)
        except Exception as error:
            failed[name] = f"{name} at {place}: {last_line(error)}"
    if failed:
        raise InputError("trackers that take what they are given", "; ".join(failed.values()), "see what they say")
    return dict.fromkeys(places, len(all_of_run))


def _giver(name: str) -> Callable[[Any, str], None]:
    os.environ.update(SILENT)
    give_one = import_module(f"noisy_student.running.tracking.to_{name}").give
    return give_one if name == "mlflow" else lambda one, place: give_one(one, Path(place))


class Trackers:
    """Feeds the trackers of a run in the background, in a process of their own, and a last time at its end.

    Whatever becomes of them is at most one line on the terminal.
    """

    def __init__(self, folder: Path, places: Mapping[str, str], rounds: Sequence[str], ending: Ending) -> None:
        self.folder, self.places, self.ending = folder, places, ending
        words = [word for name, place in places.items() for word in (f"--{name}", place)]
        # Rounds that an earlier run had more lie there still.
        self.command = [sys.executable, str(SCRIPT), *words, "--rounds", *rounds]
        self.beat = Beat("not all was given to the trackers", self.feed, patience=PATIENCE_SECONDS)

    def begin(self) -> None:
        """From now on they are fed, until Snakemake's process ends; not any more if a person ends it."""
        if self.places:
            self.beat.start()
            at_exit_of_this_process(self._end)

    def _end(self) -> None:
        if not self.ending.interrupted_by:
            self.beat.end()

    def feed(self) -> None:
        """Give them what is new."""
        # A Ctrl-C is for the run. Whenever this is ended, the next one goes on.
        run = subprocess.run(
            self.command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
            start_new_session=True,
        )  # fmt: skip
        if run.returncode:
            raise RuntimeError(run.stderr.strip() or f"{SCRIPT.name} ended with {run.returncode}")
