"""What lies in the folder of corrections: `round_<k>/<case>` with any ending of a label map, or `<case>__<reader>`."""

import hashlib
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from noisy_student.cohort.names_beside import ENDINGS, own_names
from noisy_student.cohort.pairing import label_map_at, label_maps_in, named_after
from noisy_student.cohort.passed_over import MAC_RESOURCES, SIDE_FILES
from noisy_student.errors import InputError
from noisy_student.files import visible
from noisy_student.lists import first_of
from noisy_student.reading.by_content import data_files
from noisy_student.reading.dicom.files import may_be_read, visible_files

# Between a case's name and a reader's.
OF_READER = "__"
# Tables beside a round's corrections: how long each took, and which organs alone were corrected.
MINUTES, LOOKED_THROUGH = "minutes.tsv", "organs.tsv"
# What people call them, whatever their spreadsheet adds to it.
NOTES = ("minutes", "organs")
LENGTH = 16
# Of a run's environment: what `states` found when it began.
VARIABLE = "NOISY_STUDENT_CORRECTED"
# What viewers, Windows and people leave beside label maps, which is none.
LEAVINGS = (*SIDE_FILES, *ENDINGS, ".itksnap", ".mrml", ".py", ".ini", "thumbs.db")
RESULTS = Path("results")
REMEDY = (
    "save a corrected label map as round_<k>/<case>.nii.gz, k being the round of its pseudo-label, and tables beside "
    f"it as {MINUTES} and {LOOKED_THROUGH} (docs/corrections.md)"
)


@dataclass(frozen=True)
class Correction:
    """A corrected label map: of which case, by whom (empty where the name does not say), and where it lies."""

    case: str
    reader: str
    path: Path


def name_of(case: str, reader: str) -> str:
    """What a label map is called without its ending."""
    return OF_READER.join(filter(None, (case, reader)))


def folder_of_round(folder: Path, number: int) -> Path:
    """Where corrections of a round's pseudo-labels lie."""
    return folder / f"round_{number}"


def corrections_in(folder: Path, cases: Collection[str]) -> list[Correction]:
    """Every label map of a round's folder. Its name is a case's as a whole, or up to the last `__`."""
    found = [_named(named_after(path), label_map_at(path), cases) for path in label_maps_in(folder)]
    return sorted(found, key=lambda correction: (correction.case, correction.reader, correction.path))


def names_in(folder: Path) -> set[str]:
    """What the label maps of a round's folder are called: `<case>`, or `<case>__<reader>`."""
    return {named_after(path).removesuffix(OF_READER) for path in label_maps_in(folder)}


def _named(name: str, path: Path, cases: Collection[str]) -> Correction:
    case, separator, reader = name.rpartition(OF_READER)
    return Correction(case, reader, path) if separator and name not in cases else Correction(name, "", path)


def states(folder: Path, rounds: int) -> dict[int, tuple[str, str]]:
    """Of so many rounds those with corrections, each with their `state`."""
    found = {number: state(folder_of_round(folder, number)) for number in range(1, rounds)}
    return {number: both for number, both in found.items() if any(both)}


def refuse_misplaced(folder: Path, rounds: int) -> None:
    """Raise InputError unless the folder is there and all its label maps lie in that of a round with pseudo-labels.

    What nobody would read may hold a label map too: an archive, a folder within that of a round, an unknown format. The
    same goes for tables beside label maps.
    """
    if not folder.is_dir() or not may_be_read(folder):
        remedy = "bring it back (is its disk there?), or take `corrections` out of the configuration"
        got = f"{folder.absolute()}: {'it may not be read' if folder.is_dir() else 'no such folder'}"
        raise InputError("the folder of corrections", got, remedy)
    if folder.resolve().is_relative_to(RESULTS.resolve()):
        got = f"{folder}, in the folder {RESULTS}, which belongs to the workflow"
        raise InputError("a folder of its own for corrections", got, "move it out of there, and name the new place")
    known = [folder_of_round(folder, number) for number in range(1, rounds)]
    if misplaced := [path for path in visible(folder) if path not in known and _may_count(path)]:
        where = f"label maps in round_1 to round_{rounds - 1}" if rounds > 1 else "no label maps, as no round has any"
        got = f"{len(misplaced)} in other places: {_some(folder, misplaced)}"
        raise InputError(f"{where} of the folder of corrections, {folder}", got, REMEDY)
    if unread := [path for place in known for path in _unread(place)]:
        got = f"{len(unread)} that nobody would read: {_some(folder, unread)}"
        remedy = f"unpack archives, move label maps out of folders, and take away what is none; {REMEDY}"
        raise InputError(f"label maps in the folder of corrections, {folder}", got, remedy)


def _some(folder: Path, paths: list[Path]) -> str:
    return first_of([path.relative_to(folder) for path in paths], 5)


def _may_count(path: Path) -> bool:
    """Whether a file, or any in a folder, is not known to be something else than a label map, or is called a table."""
    if path.stem.lower() in NOTES:
        return True
    if path.name == MAC_RESOURCES or path.name.lower().endswith(LEAVINGS):
        return False
    return any(map(_may_count, visible_files(path))) if path.is_dir() else path.name != "Icon\r"


def _unread(place: Path) -> list[Path]:
    """What of a round's folder may hold label maps or is called a table, and is none that is read."""
    used = {path for label_map in label_maps_in(place) for path in (label_map, *_files_of(label_map))}
    used |= {place / MINUTES, place / LOOKED_THROUGH}
    return [path for path in visible(place) if path not in used and _may_count(path)]


def _files_of(label_map: Path) -> Iterable[Path]:
    """The files of a label map, with those that hold the voxels of a header."""
    return visible_files(label_map) if label_map.is_dir() else [label_map, *data_files(label_map)]


def minutes_of_round(folder: Path, number: int) -> Path:
    """The table of how long the corrections of a round's pseudo-labels took, which may not be there."""
    return folder_of_round(folder, number) / MINUTES


def state_of_minutes(folder: Path, number: int) -> str:
    """What changes when that table does; empty where there is none."""
    path = minutes_of_round(folder, number)
    return _short(path.read_bytes()) if path.exists() else ""


def state(folder: Path) -> tuple[str, str]:
    """What changes when a corrected label map of a round is added, taken away or replaced; empty where there is none.

    The second also where it is replaced by one of the same size, by the dates of files. The table of their organs is a
    part of it, as are the names that lie beside a label map under its own; what else lies there is not.
    """
    label_maps = label_maps_in(folder)
    if not label_maps:
        return "", ""
    files = sorted({str(file) for path in label_maps for file in _files_of(path)})
    stats = [(name[len(f"{folder}/") :], os.stat(name)) for name in files if os.path.exists(name)]  # noqa: PTH110, PTH116
    table = folder / LOOKED_THROUGH
    said = [table.read_bytes()] if table.exists() else []
    names = [(path.name, own.names) for path in label_maps if (own := own_names(label_map_at(path))).names]
    undated, dated = (
        [(name, stat.st_size, stat.st_mtime_ns if dates else 0) for name, stat in stats] for dates in (False, True)
    )
    return _short(repr([*undated, *said, *names]).encode()), _short(repr([*dated, *said, *names]).encode())


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:LENGTH]
