"""Compare the student that is made to be deployed with the round whose model taught it, paired over the same cases."""

import argparse
from pathlib import Path

from noisy_student.command import run
from noisy_student.evaluate.comparison import compare
from noisy_student.files import read_json
from noisy_student.tables import read_table, write_table

COLUMNS = ("case", "label", "DSC", "NSD")


def main() -> None:
    """Read its scores, those of the rounds and the verdict on the last one; write the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="scores of the student that is made to be deployed")
    parser.add_argument("--rounds", type=Path, nargs="+", required=True, help="scores of every round, in their order")
    parser.add_argument("--verdict", type=Path, required=True, help="on the last round: which round's model labels")
    parser.add_argument("--pool-sets", action="store_true", help="the sets of a role once more together")
    parser.add_argument("--output", type=Path, required=True, help="the comparison to write (tab-separated)")
    arguments = parser.parse_args()
    teacher = read_json(arguments.verdict)["labeller"]
    student, taught_by = (read_table(path, COLUMNS) for path in (arguments.scores, arguments.rounds[teacher]))
    table = compare(student, taught_by, len(arguments.rounds), teacher, arguments.pool_sets)
    write_table(table, arguments.output)


if __name__ == "__main__":
    run(main)
