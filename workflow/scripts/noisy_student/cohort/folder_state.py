"""What lies in the folders of scans, as one short text by which Snakemake sees that something changed."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from noisy_student.cohort.scan_table import files_of
from noisy_student.reading.dicom.files import visible_names


def state_of(places: Iterable[Path]) -> str:
    """A checksum of the names and sizes of all files in folders; of a table, its own bytes and the same of its scans.

    Dates are left out: a copy on another disk is the same cohort. A changed scan has another size, as it is compressed;
    one that has not is found when it is read, by its checksum.
    """
    digest = hashlib.sha256()
    for place in places:
        if place.is_dir():
            digest.update(repr(_sizes(place)).encode())
        else:
            digest.update(place.read_bytes() if place.exists() else b"missing")
            digest.update(repr([_sizes(file) for file in files_of(place)]).encode())
    return digest.hexdigest()[:16]


def _sizes(place: Path) -> list[tuple[str, int]]:
    """(name, size) of a file, or of all files of a folder and its subfolders; nothing of what is not there."""
    if not place.is_dir():
        return [(place.name, place.stat().st_size)] if place.exists() else []
    start, files = len(f"{place}/"), visible_names(place)
    return [(file[start:], os.stat(file).st_size) for file in files if os.path.exists(file)]  # noqa: PTH110, PTH116 (fast)
