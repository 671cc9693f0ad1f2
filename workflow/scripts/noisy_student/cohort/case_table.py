"""The case table: one row per scan, and everything found about the cohort before hours are spent."""

from dataclasses import asdict, fields
from functools import partial
from pathlib import Path

import pandas as pd

from noisy_student.cohort.case_checks import Standard, examine
from noisy_student.cohort.cohort_checks import misnamed, never_labelled, repeated_names, repeated_voxels
from noisy_student.cohort.finding import Finding
from noisy_student.cohort.label_names import once_a_folder
from noisy_student.cohort.label_volumes import volume_findings
from noisy_student.cohort.scans import Scan, is_plain_name
from noisy_student.errors import InputError
from noisy_student.parallel import in_order

COLUMNS = (
    *("case", "role", "image", "label_map", "truth", "size_x", "size_y", "size_z"),
    *("spacing_x_mm", "spacing_y_mm", "spacing_z_mm", "orientation", "corrected", "intensity_low", "intensity_high"),
    *("source", "sha256", "labels_sha256", "voxels_sha256"),
)


def make_case_table(scans: list[Scan], standard: Standard, cores: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Examine every scan; return the case table and the table of findings, errors first."""
    work = partial(examine, standard=standard)
    examined = list(in_order(work, [scan for scan in scans if is_plain_name(scan.case)], cores, "checking"))
    rows = [row for row, _ in examined if row]
    findings = once_a_folder([finding for _, found in examined for finding in found])
    findings += misnamed(scans) + repeated_names(scans) + repeated_voxels(rows) + never_labelled(rows, standard.organs)
    findings += volume_findings(rows, standard.organs)
    findings.sort(key=lambda finding: finding.severity)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table, pd.DataFrame(map(asdict, findings), columns=[field.name for field in fields(Finding)])


def in_words(findings: pd.DataFrame) -> str:
    """The findings as lines for people."""
    lines = (
        f"{row.severity} {row.case}: {row.file}\n    {row.found}; wanted {row.wanted}; {row.remedy}"
        for row in findings.fillna("").itertuples()
    )
    return "\n".join(lines)


def stop_on_errors(findings: pd.DataFrame, path: Path) -> None:
    """Raise with every error of the findings; warnings pass."""
    errors = findings[findings.severity == "error"]
    if len(errors):
        got = f"{len(errors)} error(s)\n{in_words(errors)}"
        raise InputError("a cohort without errors", got, f"follow what each line says. All findings: {path}")
