"""One patient among scans that are learned from and among those that are judged, by the headers of DICOM scans.

What a header says of a patient is compared and never written. Archives have their own, stricter check.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from noisy_student.cohort.archive.patients import Cases, patient_of
from noisy_student.cohort.finding import Finding
from noisy_student.cohort.roles import JUDGED
from noisy_student.cohort.scans import Scan
from noisy_student.lists import first_of
from noisy_student.organs import Organ
from noisy_student.reading.dicom.files import dicom_files
from noisy_student.reading.dicom.identity import identify
from noisy_student.reading.volume import Volume

# Of a row of the case table's making, which is no column of the table.
PATIENT = "patient"
SHOWN = 3


def patient_in(scan: Scan, volume: Volume) -> dict[str, Any]:
    """Under its key, of whom a DICOM scan is by its header."""
    if volume.acquired is None:
        return {}
    first = scan.image if scan.image.is_file() else dicom_files(scan.image)[0]
    found = identify(first)
    return {} if isinstance(found, str) else {PATIENT: patient_of(Path(scan.source), found.header)}


def patients_in_roles(rows: Sequence[Mapping[str, Any]], _: Sequence[Organ]) -> list[Finding]:
    """A warning for each role and source whose scans are learned from and of one patient with judged ones."""
    known = [row for row in rows if PATIENT in row]
    judged = Cases((row[PATIENT], f"{row['case']} ({row['role']})") for row in known if row["role"] in JUDGED)
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in known:
        if row["role"] not in JUDGED and (cases := judged.of(row[PATIENT])):
            found[row["role"], row["source"]].append(f"{row['case']} with {cases[0]}")
    return [
        Finding(
            "all",
            "",
            "warning",
            f"{len(pairs)} {role} scan(s) of {source or 'no named source'} are of one patient with judged scans by "
            f"their DICOM headers: {first_of(pairs, SHOWN)}",
            "each patient among scans that are learned from, or among those that are judged",
            "move the scans of one patient into one role; nothing, if one PatientID was given to several people",
        )
        for (role, source), pairs in found.items()
    ]
