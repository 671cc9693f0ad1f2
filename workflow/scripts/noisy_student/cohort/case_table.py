"""The case table: one row per scan, and everything found about the cohort before hours are spent."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path

import pandas as pd

from noisy_student.cohort.case_checks import Finding, examine
from noisy_student.cohort.scans import Scan
from noisy_student.errors import InputError
from noisy_student.organs import FLARE22, Organ
from noisy_student.parallel import in_order

COLUMNS = (
    *("case", "role", "image", "label_map", "truth", "size_x", "size_y", "size_z"),
    *("spacing_x_mm", "spacing_y_mm", "spacing_z_mm", "orientation", "intensity_low", "intensity_high"),
    *("source", "sha256", "voxels_sha256"),
)


def make_case_table(
    scans: list[Scan], cores: int, organs: Sequence[Organ] = FLARE22
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Examine every scan; return the case table and the table of findings."""
    examined = list(in_order(partial(examine, organs=organs), scans, cores, "checking"))
    rows = [row for row, _ in examined if row]
    findings = [finding for _, found in examined for finding in found]
    findings += _repeated_names(scans) + _repeated_voxels(rows)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table, pd.DataFrame(map(asdict, findings), columns=[field.name for field in fields(Finding)])


def _repeated_names(scans: Iterable[Scan]) -> list[Finding]:
    files = defaultdict(list)
    for scan in scans:
        files[scan.case].append(scan.image)
    return [
        Finding(case, images[1], "error", f"the name of {images[0]} too", "one scan per name", "rename one of them")
        for case, images in files.items()
        if len(images) > 1
    ]


def _repeated_voxels(rows: list[dict]) -> list[Finding]:
    """The same voxels in two roles would let a test scan reach a training; within a role they only waste time."""
    first: dict[str, dict] = {}
    findings = []
    for row in rows:
        twin = first.setdefault(row["voxels_sha256"], row)
        if twin is not row:
            severity = "error" if twin["role"] != row["role"] else "warning"
            found = f"the voxels of {twin['case']} ({twin['role']}) too"
            remedy = f"take one of them out ({row['case']} is {row['role']})"
            findings.append(Finding(row["case"], Path(row["image"]), severity, found, "each scan once", remedy))
    return findings


def stop_on_errors(findings: pd.DataFrame, path: Path) -> None:
    """Raise with every error of the findings; warnings pass."""
    errors = findings[findings.severity == "error"]
    if len(errors):
        lines = (f"\n  {row.case}: {row.file}\n    {row.found}; wanted {row.wanted}" for row in errors.itertuples())
        remedies = "; ".join(errors.remedy.unique())
        got = f"{len(errors)} error(s)" + "".join(lines)
        raise InputError("a cohort without errors", got, f"{remedies}. All findings: {path}")
