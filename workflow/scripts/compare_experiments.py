"""Compare experiments from their result tables: one page, and its tables and figures as files beside it."""

import argparse
import shlex
import sys
from pathlib import Path

from noisy_student.command import run
from noisy_student.errors import InputError
from noisy_student.report.experiments.comparison import compare
from noisy_student.report.experiments.experiment import read_experiments
from noisy_student.report.experiments.page import write_comparison


def main() -> None:
    """Read the experiments, write the page into `--output`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiments", type=Path, nargs="+", help="folders of experiments, the baseline first")
    parser.add_argument("--names", nargs="+", default=[], help="what to call them, in the same order")
    parser.add_argument("--output", type=Path, default=Path("comparison"), help="folder to write")
    arguments = parser.parse_args()
    if arguments.output.exists() and not arguments.output.is_dir():
        raise InputError("a folder for the page", f"--output {arguments.output}, which is a file", "name a folder")
    comparison = compare(read_experiments(arguments.experiments, arguments.names))
    page = write_comparison(comparison, arguments.output, shlex.join(["python", *sys.argv]))
    print(f"comparison: {page.resolve()}")


if __name__ == "__main__":
    run(main)
