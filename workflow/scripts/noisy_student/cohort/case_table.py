"""The case table: one row per scan, and everything found about the cohort before hours are spent."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path

import pandas as pd

from noisy_student.cohort.case_checks import Standard, examine
from noisy_student.cohort.cohort_checks import misnamed, never_labelled, repeated_names, unclear_sets, unknown_organs
from noisy_student.cohort.copies import copies
from noisy_student.cohort.finding import SEVERITIES, Finding
from noisy_student.cohort.label_names import once_a_source
from noisy_student.cohort.label_volumes import volume_findings
from noisy_student.cohort.labelled_organs import LABELLED_SHARE, LABELS, ORGANS, as_text, partly_labelled
from noisy_student.cohort.left_over import left_over_findings
from noisy_student.cohort.names import is_plain_name
from noisy_student.cohort.names_taken import names_taken
from noisy_student.cohort.patients import patients_in_roles
from noisy_student.cohort.scans import Scan
from noisy_student.cohort.unchosen import left_out, those_chosen_first
from noisy_student.cohort.unpaired import missing_label_maps
from noisy_student.cohort.unread_names import unread_names
from noisy_student.errors import InputError
from noisy_student.parallel import in_order

COLUMNS = (
    *("case", "role", "image", "label_map", "truth", "size_x", "size_y", "size_z"),
    *("spacing_x_mm", "spacing_y_mm", "spacing_z_mm", "orientation", "corrected", "intensity_low", "intensity_high"),
    *("source", "sha256", "labels_sha256", "voxels_sha256", LABELS, ORGANS),
)


def make_case_table(
    scans: list[Scan], standard: Standard, cores: int, found_before: Sequence[Finding] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Examine every scan; return the case table and the table of findings, errors first."""
    plain = [scan for scan in scans if is_plain_name(scan.case)]
    examined = list(in_order(partial(examine, standard=standard), plain, cores, "checking"))
    rows = [row for row, _ in examined if row]
    findings = once_a_source([finding for _, found in examined for finding in found], scans)
    rows, findings = left_out(scans, rows, findings + copies(those_chosen_first(scans, rows)))
    findings += misnamed(scans) + repeated_names(scans) + unclear_sets(scans) + unknown_organs(scans, standard.organs)
    findings += missing_label_maps(plain) + unread_names(plain, rows, standard.organs)
    for look in (patients_in_roles, names_taken, left_over_findings, never_labelled, partly_labelled, volume_findings):
        findings += look(rows, standard.organs)
    findings = sorted([*findings, *found_before], key=lambda finding: SEVERITIES.index(finding.severity))
    columns = [*COLUMNS, *([LABELLED_SHARE] if any(LABELLED_SHARE in row for row in rows) else [])]
    table = pd.DataFrame(
        [row | {name: as_text(row.get(name, [])) for name in (LABELS, ORGANS)} for row in rows], columns=columns
    )
    # Finder's `Icon\r` has a name that would end the line of a table.
    found = pd.DataFrame(map(asdict, findings), columns=[field.name for field in fields(Finding)])
    return table, found.replace("\r", " ", regex=True)


def in_words(findings: pd.DataFrame) -> str:
    """The findings as lines for people."""
    lines = (
        f"{row.severity} {row.case}: {row.file}\n    {row.found}; wanted {row.wanted}; {row.remedy}"
        for row in findings.fillna("").itertuples()
    )
    return "\n".join(lines)


def stop_on_errors(findings: pd.DataFrame, path: Path, wanted: str = "a cohort without errors") -> None:
    """Raise with every error of the findings, and what else was found of these cases; warnings alone pass."""
    errors = findings[findings.severity == "error"]
    if len(errors):
        theirs = findings[findings.case.isin(errors.case)]
        others = f", and {len(findings) - len(theirs)} finding(s) of other cases" if len(findings) > len(theirs) else ""
        got = f"{len(errors)} error(s){others}\n{in_words(theirs)}"
        raise InputError(wanted, got, f"follow what each line says. All findings: {path}")
