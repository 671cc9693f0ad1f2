"""What only shows when all cases are seen together: their names and sets, and organs that nobody labelled."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.labelled_organs import LABELS
from noisy_student.cohort.names import LONGEST_NAME, is_plain_name
from noisy_student.cohort.scans import Scan
from noisy_student.organs import Organ
from noisy_student.sets import POOLED


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


def unclear_sets(scans: Iterable[Scan]) -> list[Finding]:
    """Sources of a role's validation or test scans that only case tells apart, or that share the name of all together.

    They are judged apart, so a mistyped name would make two sets of one.
    """
    first: dict[str, dict[str, Scan]] = {"validation": {}, "test": {}}
    for scan in scans:
        first.get(scan.role, {}).setdefault(scan.source, scan)
    return [finding for of_role in first.values() if len(of_role) > 1 for finding in _unclear(of_role)]


def unknown_organs(scans: Iterable[Scan], organs: Sequence[Organ]) -> list[Finding]:
    """Cells of a table's column `organs` with names that the label table does not have."""
    names = [organ.name for organ in organs]
    wanted, remedy = f"organs of the label table: {', '.join(names)}", "correct the cell, names separated by commas"
    return [
        Finding(scan.case, scan.table or "", "error", f"{', '.join(unknown)} in its column `organs`", wanted, remedy)
        for scan in scans
        if (unknown := [name for name in scan.organs or () if name not in names])
    ]


def _unclear(first: dict[str, Scan]) -> Iterator[Finding]:
    known: dict[str, str] = {}
    for name, scan in first.items():
        found, twin = f"{scan.role} scans of “{name}”", known.setdefault(name.lower(), name)
        if twin != name:
            found += f" beside “{twin}”"
            wanted = "sets whose names differ in more than upper and lower case"
            remedy = "give both one `name` (in a table of scans, one `source`) if they are one set, else other names"
            yield Finding(scan.case, scan.image, "error", found, wanted, remedy)
        elif name.lower() == POOLED:
            wanted, remedy = "another name: sets judged together are called so", "give it another `name` or `source`"
            yield Finding(scan.case, scan.image, "error", found, wanted, remedy)


def never_labelled(rows: list[dict[str, Any]], organs: Sequence[Organ]) -> list[Finding]:
    """Organs that no labelled scan has: no network can learn them."""
    present = {label for row in rows if row["role"] == "labelled" for label in row.get(LABELS, [])}
    remedy = "label it, correct the numbers, or take it out of `organs`"
    return [
        Finding("all", "", "warning", f"{organ.name} in no labelled scan", f"label {organ.label} in some", remedy)
        for organ in organs
        if present and organ.label not in present
    ]
