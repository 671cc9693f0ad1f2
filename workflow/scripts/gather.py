"""Gather the tables of all shards of a stage, and refuse missing, double or foreign cases.

What killed shards left half written in the stage's folders is removed.
"""

import argparse
from pathlib import Path

from noisy_student.cohort.labelled_organs import add_fewer_than, to_label
from noisy_student.command import run
from noisy_student.files import remove_unfinished
from noisy_student.shards import gather
from noisy_student.tables import read_table, write_table


def main() -> None:
    """Read the arguments and gather."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", type=Path, nargs="+", help="the shards' tables")
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--roles", nargs="*", help="only cases of these roles are expected (default: all)")
    add_fewer_than(parser)
    parser.add_argument("--folders", type=Path, nargs="+", required=True, help="where the shards alone write")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    cases = read_table(arguments.cases, ["case", "role"])
    expected = to_label(cases, arguments.roles, arguments.fewer_than) if arguments.roles else cases
    write_table(gather(arguments.tables, expected.case), arguments.output)
    for folder in arguments.folders:
        remove_unfinished(folder)


if __name__ == "__main__":
    run(main)
