"""The names of all files of an archive as one short text, by which Snakemake sees that something changed.

A folder whose date is that of its last listing is not listed again, so that a start looks at folders and not at files.
A file whose content changed under its name is found by its checksum, when it is read.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from noisy_student.cohort.archive.private import private_file

LENGTH = 16
# A folder that changed so shortly before it was listed may change again without another date.
SETTLED_NS = 2_000_000_000
MISSING, CLOSED = "missing", "closed"


class Listing(NamedTuple):
    """A folder's date, a checksum of the names in it, and the folders in it."""

    date: int
    names: str
    folders: list[str]


def state_of_tree(folder: Path, remembered: Path, dates: bool = False) -> str:
    """A checksum of the names of all files; `remembered`: how folders were last listed. `dates`: also of folders'."""
    listings = _look(folder, _recall(remembered))
    seen = [(below, found.names, found.date if dates else 0) for below, found in sorted(listings.items())]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:LENGTH]


def remember(folder: Path, remembered: Path) -> None:
    """Write down how the folders are listed now."""
    settled = time.time_ns() - SETTLED_NS
    listings = _look(folder, _recall(remembered))
    lasting = {below: found for below, found in listings.items() if 0 < found.date < settled}
    with private_file(remembered) as temporary:
        temporary.write_text(json.dumps(lasting))


def _recall(remembered: Path) -> dict[str, Listing]:
    return (
        {below: Listing(*found) for below, found in json.loads(remembered.read_text()).items()}
        if remembered.exists()
        else {}
    )


def _look(folder: Path, known: Mapping[str, Listing]) -> dict[str, Listing]:
    """Every folder below one, by its path from there: through links, each once, without hidden ones."""
    found: dict[str, Listing] = {}
    seen, to_do = set(), [""]
    while to_do:
        below = to_do.pop()
        try:
            state = os.stat(f"{folder}{below}")  # noqa: PTH116 (fast)
        except OSError:
            found[below] = Listing(0, MISSING, [])
            continue
        if (place := (state.st_dev, state.st_ino)) in seen:
            continue
        seen.add(place)
        before = known.get(below)
        is_same = before is not None and before.date == state.st_mtime_ns
        found[below] = before if is_same else _listing(f"{folder}{below}", state.st_mtime_ns)
        to_do += [f"{below}/{name}" for name in found[below].folders]
    return found


def _listing(place: str, date: int) -> Listing:
    names, folders = [], []
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    (folders if _may_be_folder(entry) else names).append(entry.name)
    except OSError:
        return Listing(0, CLOSED, [])
    return Listing(date, hashlib.sha256(os.fsencode("\0".join(sorted(names)))).hexdigest()[:LENGTH], sorted(folders))


def _may_be_folder(entry: os.DirEntry[str]) -> bool:
    """A link to what is not there may be to a disk that comes back."""
    return entry.is_dir() or (entry.is_symlink() and not entry.is_file())
