"""Scans that nobody chose one by one, as those of an archive: one that cannot be used is left out and stops nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.scans import Scan

LEFT_OUT = "nothing: it is left out"
Rows = Sequence[dict[str, Any]]


def those_chosen_first(scans: Sequence[Scan], rows: Rows) -> list[dict[str, Any]]:
    """The rows of chosen scans before others: of two that are one scan, what is found is found of the later one."""
    unchosen = _names(scans)
    return sorted(rows, key=lambda row: row["case"] in unchosen)


def left_out(scans: Sequence[Scan], rows: Rows, findings: Sequence[Finding]) -> tuple[list, list[Finding]]:
    """Rows and findings, errors of scans that nobody chose being warnings; an error where a source is left without."""
    unchosen = _names(scans)
    refused = {finding.case for finding in findings if finding.severity == "error"} & unchosen
    kept = [row for row in rows if row["case"] not in refused]
    softened = [
        replace(finding, severity="warning", remedy=LEFT_OUT)
        if finding.case in refused and finding.severity == "error"
        else finding
        for finding in findings
    ]
    return kept, softened + _without_any(scans, kept, softened)


def _names(scans: Sequence[Scan]) -> set[str]:
    return {scan.case for scan in scans if scan.may_be_left_out}


def _without_any(scans: Sequence[Scan], rows: Rows, findings: Sequence[Finding]) -> list[Finding]:
    """Sources of which every scan was left out, with the first reason."""
    sources = {scan.source: scan for scan in scans if scan.may_be_left_out}
    for row in rows:
        sources.pop(row["source"] if row["role"] == "unlabelled" else None, None)
    reasons = {finding.case: finding.found for finding in reversed(findings) if finding.remedy == LEFT_OUT}
    wanted, remedy = "scans that can be used", "correct the archive's entry in the configuration"
    return [
        Finding(
            "all",
            scan.image.parent,
            "error",
            f"every scan of “{source}” was left out, such as {scan.case}: {reasons[scan.case]}",
            wanted,
            remedy,
        )
        for source, scan in sources.items()
    ]
