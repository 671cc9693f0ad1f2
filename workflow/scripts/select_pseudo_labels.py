"""Decide which pseudo-labels of a round are kept, with the reason for each."""

import argparse
from pathlib import Path

from noisy_student.command import run
from noisy_student.configuration import Selection
from noisy_student.learning.selection import select, stop_if_nothing_is_kept
from noisy_student.tables import read_table, write_table


def main() -> None:
    """Read the arguments and select."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="scores of all pseudo-labels of the round")
    parser.add_argument("--rules", type=Selection.model_validate_json, required=True, help="their configuration")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    table = select(read_table(arguments.scores, ["case", "mean_max_probability"]), arguments.rules)
    stop_if_nothing_is_kept(table, arguments.rules)
    write_table(table, arguments.output)


if __name__ == "__main__":
    run(main)
