"""Are the folders and tables that the configuration names there, and each for one role alone?

Looked at whenever the workflow is read: where an older case table lies, Snakemake passes over what is missing.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import takewhile
from pathlib import Path
from typing import TypeVar

from noisy_student.cohort.archive.places import archive_problems
from noisy_student.cohort.case_folders import key_of_label_maps
from noisy_student.cohort.case_paths import home
from noisy_student.cohort.nnunet_raw import as_folders, problem
from noisy_student.cohort.roles import ROLES
from noisy_student.cohort.sources import Entry
from noisy_student.configuration.archive import PRIVATE, Archive
from noisy_student.configuration.experiment import Cohort, Folders, correct_in
from noisy_student.configuration.layouts import Cases, NnunetFolder
from noisy_student.errors import InputError

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Place:
    """A folder or a table, and the key of the configuration that names it."""

    key: str
    path: Path

    @property
    def is_table(self) -> bool:
        """Whether a file is wanted; otherwise a folder."""
        return self.key.endswith(".table")

    @property
    def has_scans(self) -> bool:
        """Whether it says which scans there are; otherwise it has label maps."""
        return self.is_table or self.key.endswith((".images", ".cases", "/imagesTr", "/imagesTs"))

    def problem(self, elsewhere: Iterable[Path] = ()) -> str:
        """Why it cannot be used; empty if it can. `elsewhere`: other folders that the path may have been meant from."""
        if not os.path.exists(self.path):  # noqa: PTH110 (of a folder that may not be entered, `Path.exists` raises)
            return f"no such {'file' if self.is_table else 'folder'}{self._hint(elsewhere)}"
        if self.is_table and self.path.is_dir():
            return "a folder; a table is a file, and folders of scans are named by `images`"
        if not self.is_table and not self.path.is_dir():
            return "a file; a folder is wanted, and tables of scans are named by `table`"
        return "" if os.access(self.path, os.R_OK if self.is_table else os.R_OK | os.X_OK) else "may not be read"

    def _hint(self, elsewhere: Iterable[Path]) -> str:
        """What may have been meant, or how much of the path is there."""
        if found := next((folder for folder in elsewhere if os.path.exists(folder / self.path)), None):  # noqa: PTH110
            return f"; {found} has it: write {os.path.relpath(found / self.path)}"
        if self.path.is_symlink():
            return f"; it is a link to {self.path.readlink()}, which is not there"
        missing = list(takewhile(lambda place: not os.path.isdir(place), [self.path, *self.path.parents]))  # noqa: PTH112
        there = missing[-1].absolute().parent
        names = [place.name for place in there.iterdir()] if os.access(there, os.R_OK) else []
        if alike := get_close_matches(missing[-1].name, names, n=1):
            return f"; {there} has {alike[0]}"
        return f"; of this path {there} is there" if len(missing) > 1 else ""


def places_of(cohort: Cohort) -> list[Place]:
    """Every folder and table that the cohort is made from."""
    if cohort.kind == "embedded":
        label_maps = cohort.embedded.label_maps
        return [Place("cohort.embedded.label_maps", label_maps)] if label_maps else []
    return [
        Place(f"{key}.{name}", path)
        for key, role, entry in _by_key(cohort.folders)
        for name, path in _named_in(entry, role)
    ]


def _by_key(folders: Folders) -> Iterator[tuple[str, str, Entry]]:
    """Each entry, with its role and the key of the configuration that it stands under."""
    for role in ROLES:
        for number, entry in enumerate(getattr(folders, role)):
            yield f"cohort.folders.{role}[{number}]", role, entry


def _named_in(entry: Entry, role: str) -> list[tuple[str, Path]]:
    """The folders or the table of an entry, by key; of a dataset its folders for the role.

    Of cases it is the folder with the scans' entries, and that with the label maps', if it is another one.
    """
    if isinstance(entry, Cases):
        label_maps = key_of_label_maps(entry)
        named = {"cases": entry.scan, label_maps: getattr(entry, label_maps)}
        folders = {key: home(entry.cases, path) for key, path in named.items() if path}
        return [(key, path) for key, path in folders.items() if key == "cases" or path != folders["cases"]]
    named = as_folders(entry, role).model_dump(exclude=PRIVATE).items()
    is_dataset = isinstance(entry, NnunetFolder)
    return [(f"nnunet/{path.name}" if is_dataset else key, path) for key, path in named if isinstance(path, Path)]


def _described_wrongly(cohort: Cohort) -> list[str]:
    """Why datasets cannot be used, by their own description."""
    datasets = [(f"{key}.nnunet: {entry.nnunet}", entry.nnunet) for key, entry in _of_kind(cohort, NnunetFolder)]
    return [f"{key}: {said}" for key, folder in datasets if folder.is_dir() and (said := problem(folder))]


def _of_kind(cohort: Cohort, kind: type[Kind]) -> list[tuple[str, Kind]]:
    """The entries of one kind, with the key that names each."""
    named = _by_key(cohort.folders) if cohort.kind == "folders" else ()
    return [(key, entry) for key, _, entry in named if isinstance(entry, kind)]


def refuse_wrong_places(cohort: Cohort, elsewhere: Sequence[Path] = (), files: Iterable[object] = ()) -> None:
    """Raise InputError with every folder and table that is missing, of the wrong kind, or named for two things.

    Paths are relative to the working directory; `elsewhere` are folders that others may take them to be relative to.
    `files` are those that the configuration was read from.
    """
    places = places_of(cohort)
    found = [f"  {place.key}: {place.path}: {problem}" for place in places if (problem := place.problem(elsewhere))]
    described = [*shared(places), *_described_wrongly(cohort), *archive_problems(_of_kind(cohort, Archive))]
    found += [f"  {line}" for line in described]
    if found:
        raise InputError(
            "the folders and tables that the configuration names",
            f"{len(found)} error(s)\n" + "\n".join(found),
            f"{correct_in(files)}, or bring the folders back (is their disk there?); a role that you do not have is "
            f"`validation: []`; paths are relative to the run's folder, {Path.cwd()}",
        )


def shared(places: Sequence[Place]) -> list[str]:
    """What is named by several keys, one of which takes its scans from there; through links too."""
    keys = defaultdict(list)
    for place in places:
        if not place.problem():
            state = place.path.stat()
            keys[state.st_dev, state.st_ino].append(place)
    return [
        f"{' and '.join(place.key for place in same)}: the same {'table' if same[0].is_table else 'folder'}, "
        f"{same[0].path}; {_rule(same)}"
        for same in keys.values()
        if len(same) > 1 and any(place.has_scans for place in same) and not _is_one_entry(same)
    ]


def _is_one_entry(same: Sequence[Place]) -> bool:
    """Whether one entry has its scans and label maps in one folder, as LiTS."""
    entry = same[0].key.rpartition(".")[0]
    return [place.key for place in same] == [f"{entry}.images", f"{entry}.label_maps"]


def _rule(same: Sequence[Place]) -> str:
    if all(place.has_scans for place in same):
        return "each scan has one role, and is named once"
    return "scans and label maps lie in folders of their own, or one entry of `cases` says how both are named"
