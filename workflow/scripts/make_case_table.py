"""Find every scan of the cohort, check it, and write the case table and the findings."""

import argparse
import json
import os
from pathlib import Path

# A scan is checked by one core. Numpy's own threads would only wait for each other, as busily as if they worked.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from noisy_student.cohort.archive.scans import scans_of_archives
from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import make_case_table, stop_on_errors
from noisy_student.cohort.folder_findings import folder_findings
from noisy_student.cohort.scans import folders_of, search
from noisy_student.command import run
from noisy_student.configuration.experiment import Cohort
from noisy_student.keeping.store import own
from noisy_student.organs import FLARE22, from_json
from noisy_student.tables import write_table


def main() -> None:
    """Read the arguments and make the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohort", type=Cohort.model_validate_json, required=True, help="the configuration's section")
    parser.add_argument("--embedded", type=Path, required=True, help="where the embedded cohort lies")
    parser.add_argument("--organs", type=from_json, default=FLARE22, help="label table as JSON (default: FLARE22's)")
    parser.add_argument("--renumbered", type=Path, required=True, help="folder for label maps that had to be changed")
    parser.add_argument("--spacings", type=json.loads, default=[], help="of the networks, mm, z y x (or null), JSON")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--findings", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    own(arguments.renumbered)
    folders = folders_of(arguments.cohort, arguments.embedded)
    archived = scans_of_archives(folders, arguments.cores)
    found = search(folders, archived.scans, arguments.organs)
    standard = Standard(arguments.organs, arguments.renumbered, arguments.spacings, arguments.cohort.accept)
    found_before = [*folder_findings(found), *archived.findings]
    table, findings = make_case_table(found.scans, standard, arguments.cores, found_before)
    write_table(findings, arguments.findings)
    stop_on_errors(findings, arguments.findings)
    write_table(table, arguments.output)


if __name__ == "__main__":
    run(main)
