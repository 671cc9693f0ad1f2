"""Make the report of a run from its result tables: one page, and its tables and figures as files beside it."""

import argparse
from pathlib import Path

from noisy_student.command import run
from noisy_student.errors import InputError
from noisy_student.report.page import write_report
from noisy_student.report.results import read_results


def main() -> None:
    """Read `--results`, write `--output`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of result tables")
    parser.add_argument("--output", type=Path, default=Path("results/report/report.html"), help="the page to write")
    arguments = parser.parse_args()
    if not (arguments.results / "cohort/cases.tsv").exists():
        wanted = f"a case table at {arguments.results}/cohort/cases.tsv"
        raise InputError(wanted, "no such file", "give the folder of a run with --results, or start one")
    write_report(read_results(arguments.results), arguments.output)
    print(f"report: {arguments.output.resolve()}")


if __name__ == "__main__":
    run(main)
