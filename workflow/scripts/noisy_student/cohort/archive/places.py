"""Are the key and the names table of each archive where they may be? Looked at whenever the workflow is read."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from noisy_student.cohort.archive.private import key_problem
from noisy_student.configuration.archive import Archive

RESULTS = Path("results")
Named = tuple[str, Archive]


def archive_problems(named: Sequence[Named]) -> list[str]:
    """What is wrong with archives, each with the key of the configuration that names it."""
    return [
        *(f"{where}.key: {entry.key}: {problem}" for where, entry in named if (problem := _key_problem(entry))),
        *(f"{where}.names: {entry.names}: {problem}" for where, entry in named if (problem := _names_problem(entry))),
        *_of_one_archive(named),
    ]


def _key_problem(entry: Archive) -> str:
    return key_problem(entry.key, entry.names) or _inside(entry.key, [RESULTS])


def _names_problem(entry: Archive) -> str:
    if entry.names.is_dir():
        return "a folder; a file is wanted, a table that the check writes"
    if not os.access(entry.names.absolute().parent, os.W_OK | os.X_OK):
        return "no such folder, or nothing may be written to it"
    return _inside(entry.names, [RESULTS, *entry.folders])


def _inside(path: Path, folders: Sequence[Path]) -> str:
    """What is wrong with a private file's place; empty if nothing."""
    inside = next((folder for folder in folders if path.resolve().is_relative_to(folder.resolve())), None)
    return f"in {inside}; it tells who the patients are: put it elsewhere" if inside else ""


def _of_one_archive(named: Sequence[Named]) -> Iterator[str]:
    """An archive has one key and one table in all roles, and a role has it once with the same label maps; each archive
    has a table of its own.
    """
    archives, tables = defaultdict(list), defaultdict(list)
    for where, entry in named:
        archives[entry.archive.resolve()].append((where, entry))
        tables[entry.names.resolve()].append((where, entry))
    for same in archives.values():
        keys = " and ".join(where for where, _ in same)
        if len({(entry.key.resolve(), entry.names.resolve()) for _, entry in same}) > 1:
            yield f"{keys}: one archive, {same[0][1].archive}, so give both the same `key` and `names`"
        if len({(where.partition("[")[0], *map(Path.resolve, entry.folders)) for where, entry in same}) < len(same):
            yield f"{keys}: one archive, {same[0][1].archive}; a role names it once, or once with each `label_maps`"
    for same in tables.values():
        if len({entry.archive.resolve() for _, entry in same}) > 1:
            yield f"{' and '.join(where for where, _ in same)}: two archives, so give each `names` of its own"
