"""Give a run's curves and scores to trackers: those that they have not got. May be repeated at any time."""

import argparse
import os
from contextlib import nullcontext
from pathlib import Path

from noisy_student.command import run
from noisy_student.errors import InputError
from noisy_student.files import only_one
from noisy_student.running.tracking.trackers import give, require_packages

LOCK = ".tracking.lock"


def main() -> None:
    """Read the arguments and give."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of result tables")
    parser.add_argument("--tensorboard", metavar="DIR", help="folder for TensorBoard's files")
    parser.add_argument("--mlflow", metavar="PLACE", help="folder, or address of a server or database, of MLflow")
    parser.add_argument("--wandb", metavar="DIR", help="folder for offline runs of Weights & Biases")
    parser.add_argument("--rounds", nargs="+", default=[], help="these alone, by number, or deploy; else all there are")
    arguments = parser.parse_args()
    names = ("tensorboard", "mlflow", "wandb")
    places = {name: place for name in names if (place := getattr(arguments, name)) is not None}
    if not places:
        parser.error("name a tracker: --tensorboard, --mlflow or --wandb")
    if not arguments.results.is_dir():
        raise InputError(f"the results of a run in {arguments.results}", "no such folder", "name them with --results")
    require_packages(places)
    # One that a killed run has left may be at it. Who cannot write there has no run there.
    is_own = os.access(arguments.results, os.W_OK)
    with only_one(arguments.results / LOCK, wait=True) if is_own else nullcontext():
        given = give(arguments.results, places, arguments.rounds)
    for name, count in given.items():
        print(f"{name} at {places[name]} has all of this run: trainings and scores, {count} in all")


if __name__ == "__main__":
    run(main)
