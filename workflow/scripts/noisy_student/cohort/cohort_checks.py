"""What only shows when all cases are seen together: their names, and organs that nobody labelled."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.labelled_organs import LABELS
from noisy_student.cohort.names import LONGEST_NAME, is_plain_name
from noisy_student.cohort.scans import Scan
from noisy_student.organs import Organ


def misnamed(scans: Iterable[Scan]) -> list[Finding]:
    """Cases whose files could not be named after them, or would be written elsewhere."""
    wanted = f"a case name of letters, digits, `_`, `-` and `.`, at most {LONGEST_NAME}, not ending in `_seg`"
    remedy = "rename the file, or give the case another name in a table of scans"
    return [
        Finding(scan.case, scan.image, "error", f"the name {scan.case!r}", wanted, remedy)
        for scan in scans
        if not is_plain_name(scan.case)
    ]


def repeated_names(scans: Iterable[Scan]) -> list[Finding]:
    """Cases that share a name, or would on a disk that does not tell upper from lower case."""
    files = defaultdict(list)
    for scan in scans:
        files[scan.case.lower()].append(scan)
    return [
        Finding(twin.case, twin.image, "error", f"the name of {first.image} too", "one scan per name", "rename one")
        for first, *twins in files.values()
        for twin in twins
    ]


def never_labelled(rows: list[dict[str, Any]], organs: Sequence[Organ]) -> list[Finding]:
    """Organs that no labelled scan has: no network can learn them."""
    present = {label for row in rows if row["role"] == "labelled" for label in row.get(LABELS, [])}
    remedy = "label it, correct the numbers, or take it out of `organs`"
    return [
        Finding("all", "", "warning", f"{organ.name} in no labelled scan", f"label {organ.label} in some", remedy)
        for organ in organs
        if present and organ.label not in present
    ]
