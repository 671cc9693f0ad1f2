"""Summarise a score table: mean, median, spread, bootstrap interval and failures per organ and for all organs."""

import argparse
from pathlib import Path

from noisy_student.command import run
from noisy_student.evaluate.aggregate import summarise
from noisy_student.tables import read_table, require_table, write_table


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="a score table of evaluate.py")
    parser.add_argument("--output", type=Path, required=True, help="the summary to write (tab-separated)")
    parser.add_argument("--pool-sets", action="store_true", help="the sets of a role once more together")
    return parser.parse_args()


def main() -> None:
    """Read the scores, write the summary."""
    options = arguments()
    require_table(options.output, [options.scores])
    scores = read_table(options.scores, ("case", "label", "DSC", "NSD"))
    write_table(summarise(scores, options.pool_sets), options.output)


if __name__ == "__main__":
    run(main)
