"""What lies in the folder of corrections: `round_<k>/<case>` with any ending of a label map, or `<case>__<reader>`."""

import hashlib
import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from noisy_student.cohort.pairing import label_map_at, label_maps_in, named_after
from noisy_student.errors import InputError
from noisy_student.reading.dicom.files import visible_names

ROUND = re.compile(r"round_(\d+)")
# Between a case's name and a reader's.
OF_READER = "__"
# Of a round's corrections: how long each took.
MINUTES = "minutes.tsv"
LENGTH = 16
REMEDY = (
    "save a corrected label map as round_<k>/<case>.nii.gz, k being the round of its pseudo-label (docs/corrections.md)"
)


@dataclass(frozen=True)
class Correction:
    """A corrected label map: of which case, by whom (empty where the name does not say), and where it lies."""

    case: str
    reader: str
    path: Path


def folder_of_round(folder: Path, number: int) -> Path:
    """Where corrections of a round's pseudo-labels lie."""
    return folder / f"round_{number}"


def corrections_in(folder: Path, cases: Collection[str]) -> list[Correction]:
    """Every label map of a round's folder. Its name is a case's as a whole, or up to the last `__`."""
    found = [_named(named_after(path), label_map_at(path), cases) for path in label_maps_in(folder)]
    return sorted(found, key=lambda correction: (correction.case, correction.reader, correction.path))


def _named(name: str, path: Path, cases: Collection[str]) -> Correction:
    case, separator, reader = name.rpartition(OF_READER)
    return Correction(case, reader, path) if separator and name not in cases else Correction(name, "", path)


def corrected_rounds(folder: Path, rounds: int) -> list[int]:
    """The rounds, of which there are so many, whose pseudo-labels have corrections."""
    return [number for number in range(1, rounds) if label_maps_in(folder_of_round(folder, number))]


def refuse_misplaced(folder: Path, rounds: int) -> None:
    """Raise InputError unless the folder is there and all its label maps lie in that of a round with pseudo-labels."""
    if not folder.is_dir():
        remedy = "bring it back (is its disk there?), or take `corrections` out of the configuration"
        raise InputError("the folder of corrections", f"{folder}: no such folder", remedy)
    known = {folder_of_round(folder, number) for number in range(1, rounds)}
    if misplaced := [path for path in label_maps_in(folder) if path not in known]:
        named = ", ".join(str(path.relative_to(folder)) for path in reversed(misplaced[-5:]))
        got = f"{len(misplaced)} in other places: {named}"
        where = f"label maps in round_1 to round_{rounds - 1}" if rounds > 1 else "no label maps, as no round has any"
        raise InputError(f"{where} of the folder of corrections, {folder}", got, REMEDY)


def minutes_of_round(folder: Path, number: int) -> Path:
    """The table of how long the corrections of a round's pseudo-labels took, which may not be there."""
    return folder_of_round(folder, number) / MINUTES


def state_of_minutes(folder: Path, number: int) -> str:
    """What changes when that table does; empty where there is none."""
    path = minutes_of_round(folder, number)
    return _short(path.read_bytes()) if path.exists() else ""


def state(folder: Path, dates: bool = False) -> str:
    """What changes when a corrected label map of a round is added, taken away or replaced; empty where there is none.

    With `dates` also where it is replaced by one of the same size. How long a correction took is no part of it.
    """
    names = [name for name in visible_names(folder) if name != str(folder / MINUTES)] if folder.is_dir() else []
    stats = [(name[len(f"{folder}/") :], os.stat(name)) for name in names if os.path.exists(name)]  # noqa: PTH110, PTH116
    files = [(name, stat.st_size, stat.st_mtime_ns if dates else 0) for name, stat in stats]
    return _short(repr(files).encode()) if files else ""


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:LENGTH]
