"""Check the corrected label maps of one round's pseudo-labels; stop with all errors at once."""

import argparse
import json
import shutil
from dataclasses import asdict, fields
from pathlib import Path

import pandas as pd

from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import stop_on_errors
from noisy_student.cohort.finding import Finding
from noisy_student.command import run
from noisy_student.configuration.corrections import Corrections
from noisy_student.correct.checked import check_corrections
from noisy_student.correct.found import folder_of_round
from noisy_student.organs import FLARE22, from_json
from noisy_student.tables import read_table, write_table


def main() -> None:
    """Read the arguments and check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corrections", type=json.loads, required=True, help="the configuration's section, as JSON")
    parser.add_argument("--round", type=int, required=True, help="of whose pseudo-labels they are")
    parser.add_argument("--cases", type=Path, required=True, help="the case table")
    parser.add_argument("--organs", type=from_json, default=FLARE22, help="label table as JSON (default: FLARE22's)")
    parser.add_argument("--pseudo-labels", type=Path, required=True, help="folder of those, as far as they are there")
    parser.add_argument("--folder", type=Path, required=True, help="where their label maps are written")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--findings", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    given = Corrections.model_validate(arguments.corrections)
    cases = read_table(arguments.cases, ["case", "role", "image", "sha256"])
    shutil.rmtree(arguments.folder, ignore_errors=True)
    table, found = check_corrections(
        folder_of_round(given.folder, arguments.round), arguments.round, cases, given,
        Standard(arguments.organs, arguments.folder), arguments.pseudo_labels, arguments.folder, arguments.cores,
    )  # fmt: skip
    findings = pd.DataFrame(map(asdict, found), columns=[field.name for field in fields(Finding)])
    write_table(findings, arguments.findings)
    stop_on_errors(findings, arguments.findings, "corrected label maps without errors")
    write_table(table, arguments.output)


if __name__ == "__main__":
    run(main)
