"""What lies in the folders of scans, as one short text by which Snakemake sees that something changed."""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from noisy_student.cohort.scan_table import files_of
from noisy_student.configuration.experiment import Cohort, Labelled, Unlabelled
from noisy_student.reading.dicom.files import visible_names

LENGTH = 16


def state_of_scans(cohort: Cohort, role: str, seed: int) -> str:
    """The same of the scans of a role: of its folders and tables, or of what the embedded cohort's are generated from.

    Without truths that are kept aside, on which nothing but their judging depends.
    """
    if cohort.kind == "folders":
        entries = getattr(cohort.folders, role)
        return _short(json.dumps([[state_of(_places(entry)), entry.name, entry.labels] for entry in entries]))
    counts = cohort.embedded.model_dump(mode="json")
    own = counts if cohort.embedded.label_maps else {key: counts[key] for key in (role, "variation")}
    return _short(json.dumps([seed, own]))


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
    return digest.hexdigest()[:LENGTH]


def _places(entry: Labelled | Unlabelled) -> list[Path]:
    named = entry.model_dump(exclude={"truth"}).values()
    return [path for path in named if isinstance(path, Path)]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def _sizes(place: Path) -> list[tuple[str, int]]:
    """(name, size) of a file, or of all files of a folder and its subfolders; nothing of what is not there."""
    if not place.is_dir():
        return [(place.name, place.stat().st_size)] if place.exists() else []
    start, files = len(f"{place}/"), visible_names(place)
    return [(file[start:], os.stat(file).st_size) for file in files if os.path.exists(file)]  # noqa: PTH110, PTH116 (fast)
