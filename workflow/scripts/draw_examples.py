"""Draw the report's example cases: pictures, and small volumes for its viewer. The one part that reads scans."""

import argparse
from pathlib import Path

from noisy_student.command import run
from noisy_student.report.example import write_examples
from noisy_student.report.examples import make_examples
from noisy_student.report.left_out import left_out_examples
from noisy_student.report.results import read_results


def main() -> None:
    """Read `--results` and the scans of its case table, write `--output`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=Path("results"), help="folder of result tables")
    parser.add_argument("--cases", nargs="*", default=[], help="cases to show besides those chosen by rule")
    parser.add_argument("--output", type=Path, default=Path("results/examples.json"), help="JSON file to write")
    arguments = parser.parse_args()
    results = read_results(arguments.results)
    write_examples([*make_examples(results, arguments.cases), *left_out_examples(results)], arguments.output)


if __name__ == "__main__":
    run(main)
