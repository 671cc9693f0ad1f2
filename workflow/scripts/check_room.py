"""Compare what the configured run will need, labelled scans of each organ, disk and memory, with what there is."""

import argparse
import json
from dataclasses import asdict, fields
from pathlib import Path

import pandas as pd

from noisy_student.cohort.case_table import stop_on_errors
from noisy_student.cohort.enough_labelled import never_learned, too_few_labelled
from noisy_student.cohort.finding import Finding
from noisy_student.cohort.room import (
    Plan,
    disk_bytes,
    free_disk_bytes,
    machine_memory_bytes,
    memory_bytes,
    room_findings,
)
from noisy_student.command import run
from noisy_student.organs import from_json
from noisy_student.tables import read_table, write_table


def main() -> None:
    """Read the arguments, write what is short, and stop if it is too short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--spacings", type=json.loads, required=True, help="of the networks, mm, z y x (or null), JSON")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--classes", type=int, required=True)
    parser.add_argument("--splits", type=int, default=0, help="of the labelled scans; 0: nothing is trained")
    parser.add_argument(
        "--organs", type=from_json, default=(), help="the label table as JSON, if the teacher is trained"
    )
    parser.add_argument("--folds", type=int, nargs="*", default=[], help="of the splits, that the teacher trains")
    parser.add_argument("--seed", type=int, default=0, help="of the splits")
    parser.add_argument("--results", type=Path, required=True, help="folder of all results")
    parser.add_argument("--output", type=Path, required=True, help="table of findings, empty if there is room")
    arguments = parser.parse_args()
    plan = Plan(arguments.spacings, arguments.rounds, arguments.classes)
    cases = read_table(arguments.cases, ["role", "image", "orientation", "size_x", "spacing_x_mm"])
    disk = disk_bytes(cases, plan), free_disk_bytes(arguments.results)
    memory = memory_bytes(arguments.cases, plan), machine_memory_bytes()
    found = too_few_labelled(cases, arguments.splits, arguments.cases)
    if arguments.folds:
        found += never_learned(
            cases, arguments.organs, arguments.folds, arguments.splits, arguments.seed, arguments.cases
        )
    found += room_findings(disk, memory, arguments.results)
    findings = pd.DataFrame(map(asdict, found), columns=[field.name for field in fields(Finding)])
    stop_on_errors(findings, arguments.output)
    write_table(findings, arguments.output)


if __name__ == "__main__":
    run(main)
