"""What lies in the folders of scans, as one short text by which Snakemake sees that something changed."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from noisy_student.cohort.archive.private import Private
from noisy_student.cohort.archive.state import state_of_tree
from noisy_student.cohort.case_paths import found
from noisy_student.cohort.names_beside import differing_names, names_beside
from noisy_student.cohort.nnunet_raw import Searched, as_folders
from noisy_student.cohort.passed_over import SIDE_FILES
from noisy_student.cohort.scan_table import files_of, label_maps_of
from noisy_student.configuration.archive import Archive, LabelledArchive
from noisy_student.configuration.experiment import Cohort, LabelledFolder, ScanFolder, ScanTable
from noisy_student.configuration.layouts import Cases, LabelledCases, ScanCases
from noisy_student.files import visible
from noisy_student.reading.dicom.files import visible_names

LENGTH = 16
# Of a run's environment: the state of each role's scans when it began.
SCANS_VARIABLE = "NOISY_STUDENT_SCANS"
PACKED = ".gz"


def state_of_scans(cohort: Cohort, role: str, seed: int, dates: bool = False) -> str:
    """The same of the scans of a role: of its folders and tables, or of what the embedded cohort's are generated from.

    Without truths that are kept aside, on which nothing but their judging depends. With `dates`, a file that was
    written anew is another one.
    """
    if cohort.kind == "folders":
        entries = [as_folders(entry, role) for entry in getattr(cohort.folders, role)]
        states = [
            [_state(cohort, entry, dates), entry.name, entry.labels, *_organs_and_names(entry)] for entry in entries
        ]
        return _short(json.dumps(states))
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


def state_of_truths(cohort: Cohort) -> str:
    """The same of the truths of unlabelled scans that are kept aside; tables have theirs in themselves."""
    entries = [as_folders(entry, "unlabelled") for entry in cohort.folders.unlabelled]
    folders = [entry.truth for entry in entries if isinstance(entry, ScanFolder) and entry.truth]
    cases = [entry for entry in entries if isinstance(entry, ScanCases) and entry.truth]
    within = [_of_cases(entry, [entry.truth], False) for entry in cases]
    names = _names_beside(folders)
    return " ".join([state_of(folders), *within, *([_short(json.dumps(names))] if names else [])])


def dates_of_label_maps(cohort: Cohort) -> str:
    """When label maps were written that are not compressed: one that was corrected may be as large as before.

    By this scans are checked again. What follows goes by checksums.
    """
    entries = [as_folders(entry, role) for role, entry in cohort.folders.by_role()]
    sizes = [size for entry in entries for place in _label_maps(entry) for size in _sizes(place, dates=True)]
    return _short(repr([size for size in sizes if not size[0].lower().endswith(PACKED)]))


def written_since(cohort: Cohort, table: Path) -> list[str]:
    """Files of scans that are not compressed and were written after a table; none where there are none or no table.

    One that was corrected may be as large as before. A copy that has lost its dates is no reason to check all scans
    again, and to judge and measure anew, so this is for a person to decide. Archives are left out.
    """
    if cohort.kind != "folders" or not table.exists():
        return []
    written_ns = table.stat().st_mtime_ns
    entries = [as_folders(entry, role) for role, entry in cohort.folders.by_role()]
    sizes = [size for entry in entries for place in _scans(entry) for size in _sizes(place, dates=True)]
    others = (PACKED, *SIDE_FILES)
    return [name for name, _, date_ns in sizes if date_ns > written_ns and not name.lower().endswith(others)]


def _scans(entry: Searched | Archive) -> list[Path]:
    if isinstance(entry, Archive):
        return []
    if isinstance(entry, ScanTable):
        return files_of(entry.table)
    if isinstance(entry, Cases):
        return [path for paths in found(entry.cases, entry.scan).values() for path in paths]
    return [entry.images]


def _label_maps(entry: Searched | Archive) -> list[Path]:
    """The files and folders of an entry's label maps or truths."""
    if isinstance(entry, ScanTable):
        return label_maps_of(entry.table)
    within = getattr(entry, "label_maps", None) or getattr(entry, "truth", None)
    if within is None or (isinstance(entry, Archive) and within == entry.archive):
        return []
    if isinstance(entry, Cases):
        return [path for paths in found(entry.cases, within).values() for path in paths]
    return [within]


def state_of_archives(cohort: Cohort) -> list[str]:
    """The names of all files of each archive of which labelled scans are a part, of which they depend on few."""
    entries = cohort.folders.entries()
    archives = {entry.archive: Private(entry.names).folders for entry in entries if isinstance(entry, LabelledArchive)}
    return [state_of_tree(archive, folders) for archive, folders in archives.items()]


def _state(cohort: Cohort, entry: Searched, dates: bool) -> str | list[str]:
    if isinstance(entry, Archive):
        return _of_archive(cohort, entry, dates)
    if isinstance(entry, Cases):
        within = [entry.scan, *([entry.label_maps] if isinstance(entry, LabelledCases) else [])]
        return _of_cases(entry, within, dates)
    named = entry.model_dump(exclude={"truth"}).values()
    return state_of([path for path in named if isinstance(path, Path)], dates)


def _of_archive(cohort: Cohort, entry: Archive, dates: bool) -> list[str]:
    """Of an archive's labelled scans the label maps; of its unlabelled ones all its files, and which are labelled.

    These may be in another archive: a patient's scans lie where they were made.
    With `dates` also where the table of its names is, which whoever shares the scans has to have.
    """
    key = hashlib.sha256(entry.key.read_bytes().strip()).hexdigest() if entry.key.exists() else ""
    own = [key, *([str(entry.names.resolve())] if dates else [])]
    if isinstance(entry, LabelledArchive):
        return [*own, _of_label_maps(entry, dates)]
    labelled = [other for other in cohort.folders.entries() if isinstance(other, LabelledArchive)]
    apart = [_of_label_maps(other, dates) for other in labelled]
    tree = state_of_tree(entry.archive, Private(entry.names).folders, dates)
    return [*own, tree, entry.series.model_dump_json(), *apart]


def _of_label_maps(entry: LabelledArchive, dates: bool) -> str:
    if entry.label_maps == entry.archive:
        return state_of_tree(entry.archive, Private(entry.names).folders, dates)
    return state_of([entry.label_maps], dates)


def _of_cases(entry: Cases, within: Sequence[str], dates: bool) -> str:
    """Of each case what is used of it."""
    of_each = [found(entry.cases, path) for path in within]
    cases = sorted(set().union(*of_each))
    return _short(repr([(case, [_all_sizes(own.get(case, ()), dates) for own in of_each]) for case in cases]))


def _all_sizes(places: Iterable[Path], dates: bool) -> list[tuple[str, int, int]]:
    return [size for place in places for size in _sizes(place, dates)]


def _organs_and_names(entry: Searched) -> list[object]:
    """Which organs are labelled, and what the files beside label maps call their numbers; nothing where neither is."""
    organs = [entry.organs] if getattr(entry, "organs", None) else []
    if isinstance(entry, LabelledFolder):
        of_all = _names_beside([entry.label_maps])
        within = [path for path in visible(entry.label_maps) if path.is_dir()]
        return organs + of_all + [names for names in _names_beside(within) if names not in of_all]
    if isinstance(entry, LabelledCases):
        return organs + _names_beside(path.parent for path in _label_maps(entry))
    listed = files_of(entry.table) if isinstance(entry, ScanTable) else []
    return organs + _names_beside(path.parent for path in listed)


def _names_beside(folders: Iterable[Path]) -> list[object]:
    folders = list(dict.fromkeys(folders))
    of_all = [names for folder in folders if (names := names_beside(folder).names)]
    return of_all + [table for folder in folders for table in differing_names(folder)]


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def _sizes(place: Path, dates: bool) -> list[tuple[str, int, int]]:
    """(name, size, date) of a file, or of all files of a folder and its subfolders; nothing of what is not there."""
    files = visible_names(place) if place.is_dir() else [str(place)]
    start = len(f"{place}/") if place.is_dir() else len(str(place)) - len(place.name)
    stats = [(file[start:], stat) for file in files if (stat := _stat(file))]
    return [(name, stat.st_size, stat.st_mtime_ns if dates else 0) for name, stat in stats]


def _stat(file: str) -> os.stat_result | None:
    try:
        return os.stat(file)  # noqa: PTH116 (fast)
    except (OSError, ValueError):
        return None
