"""Show everything that the checks of the cohort found, what was passed over, and which organs are labelled."""

import argparse
from pathlib import Path

import pandas as pd

from noisy_student.cohort import labelled_organs
from noisy_student.cohort.case_table import in_words
from noisy_student.cohort.numbers_by_name import TAKEN
from noisy_student.command import run
from noisy_student.organs import FLARE22, from_json
from noisy_student.tables import read_table


def main() -> None:
    """Read the arguments and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--findings", type=Path, nargs="+", required=True, help="tables of findings")
    parser.add_argument("--organs", type=from_json, default=FLARE22, help="label table as JSON (default: FLARE22's)")
    arguments = parser.parse_args()
    cases = read_table(arguments.cases, ["case", "role", "label_map", labelled_organs.LABELS])
    findings = pd.concat([read_table(path, ["case", "severity"]) for path in arguments.findings])
    if len(findings):
        print(in_words(findings))
    print(*labelled_organs.in_words(cases, arguments.organs), sep="\n")
    print(summary(cases, findings))


def summary(cases: pd.DataFrame, findings: pd.DataFrame) -> str:
    """The last line: how many scans and warnings, and what was passed over."""
    roles = ", ".join(f"{number} {role}" for role, number in cases.role.value_counts(sort=False).items())
    warnings = (findings.severity == "warning").sum()
    notes = findings[(findings.severity == "note") & (findings.wanted != TAKEN)]
    passed_over = "".join(f"; in {note.file}: {note.found}" for note in notes.itertuples())
    return f"{len(cases)} scans ({roles}), {warnings} warning(s), no errors{passed_over}"


if __name__ == "__main__":
    run(main)
