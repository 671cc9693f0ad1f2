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


def state_of_scans(cohort: Cohort, role: str, seed: int, dates: bool = False) -> str:
    """The same of the scans of a role: of its folders and tables, or of what the embedded cohort's are generated from.

    Without truths that are kept aside, on which nothing but their judging depends. With `dates`, a file that was
    written anew is another one.
    """
    if cohort.kind == "folders":
        entries = getattr(cohort.folders, role)
        return _short(json.dumps([[state_of(_places(entry), dates), entry.name, entry.labels] for entry in entries]))
    counts = cohort.embedded.model_dump(mode="json")
    if label_maps := cohort.embedded.label_maps:
        return _short(json.dumps([seed, counts, state_of([label_maps], dates)]))
    return _short(json.dumps([seed, {key: counts[key] for key in (role, "variation")}]))


def state_of(places: Iterable[Path], dates: bool = False) -> str:
    """A checksum of the names and sizes of all files in folders; of a table, its own bytes and the same of its scans.

    Without `dates` a copy on another disk is the same cohort. A changed scan has another size, as it is compressed;
    one that has not is found when it is read, by its checksum.
    """
    digest = hashlib.sha256()
    for place in places:
        if place.is_dir():
            digest.update(repr(_sizes(place, dates)).encode())
        else:
            digest.update(place.read_bytes() if place.exists() else b"missing")
            digest.update(repr([_sizes(file, dates) for file in files_of(place)]).encode())
    return digest.hexdigest()[:LENGTH]


def _places(entry: Labelled | Unlabelled) -> list[Path]:
    named = entry.model_dump(exclude={"truth"}).values()
    return [path for path in named if isinstance(path, Path)]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def _sizes(place: Path, dates: bool) -> list[tuple[str, int, int]]:
    """(name, size, date) of a file, or of all files of a folder and its subfolders; nothing of what is not there."""
    files = visible_names(place) if place.is_dir() else [str(place)]
    start = len(f"{place}/") if place.is_dir() else len(str(place)) - len(place.name)
    stats = [(file[start:], os.stat(file)) for file in files if os.path.exists(file)]  # noqa: PTH110, PTH116 (fast)
    return [(name, stat.st_size, stat.st_mtime_ns if dates else 0) for name, stat in stats]
