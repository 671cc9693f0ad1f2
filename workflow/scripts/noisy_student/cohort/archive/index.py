"""The header of each file of an archive, read once: a file is read again where its size or date is another one.

The index is added to while files are read. Whoever is killed loses no more than its last line.
"""

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

from noisy_student.cohort.archive.private import OWN_ALONE, private_file
from noisy_student.parallel import in_order
from noisy_student.reading.dicom.files import visible_names
from noisy_student.reading.dicom.identity import NO_DICOM, SeriesHeader, identify

# Files that a process is given at a time.
TOGETHER = 64
# The date of a file that could not be read, so that it is tried again.
NEVER = 0
CLOSED = "a folder that may not be read"


class File(NamedTuple):
    """A file by its path in the archive, as it was when it was read; `problem`: in words, why it is of no series."""

    path: str
    size: int
    date: int
    problem: str
    instance: str = ""
    heights_mm: tuple[float, ...] = ()
    header: SeriesHeader | None = None


def read_archive(folder: Path, index: Path, cores: int) -> list[File]:
    """Every file of an archive, by path; headers are read where `index` does not have them yet."""
    known = _stored(index)
    listed = list(_listed(folder))
    to_read = [file for file in listed if not file.problem and not _is(file, known.get(file.path))]
    read = {file.path: file for file in _add(folder, index, to_read, cores)}
    files = [file if file.problem else read.get(file.path) or known[file.path] for file in listed]
    if known.keys() & read.keys() or known.keys() - {file.path for file in listed}:
        with private_file(index) as temporary, temporary.open("w") as stream:
            stream.writelines(map(_line, files))
    return files


def _listed(folder: Path) -> Iterator[File]:
    """The files as they lie there, not read."""
    start = len(f"{folder}/")
    for path in visible_names(folder):
        try:
            state = os.stat(path)  # noqa: PTH116 (fast)
        except OSError as error:
            yield File(path[start:], 0, NEVER, f"cannot be read: {error.strerror}")
            continue
        problem = CLOSED if S_ISDIR(state.st_mode) else "" if S_ISREG(state.st_mode) else NO_DICOM
        yield File(path[start:], state.st_size, state.st_mtime_ns, problem)


def _is(file: File, known: File | None) -> bool:
    return known is not None and (known.size, known.date) == (file.size, file.date)


def _add(folder: Path, index: Path, files: list[File], cores: int) -> Iterator[File]:
    """Read files, and add each to the index as soon as it is read."""
    if not files:
        return
    os.close(os.open(index, os.O_CREAT, OWN_ALONE))
    with index.open("a", buffering=1) as stream:
        # Behind half a line of one that was killed.
        stream.write("\n")
        for file in in_order(partial(_read, folder), files, cores, "DICOM headers", TOGETHER):
            stream.write(_line(file))
            yield file


def _read(folder: Path, file: File) -> File:
    try:
        found = identify(folder / file.path)
    except OSError as error:
        return file._replace(date=NEVER, problem=f"cannot be read: {error.strerror}")
    if isinstance(found, str):
        return file._replace(problem=found)
    return file._replace(instance=found.instance, heights_mm=found.heights_mm, header=found.header)


def _line(file: File) -> str:
    return json.dumps(file) + "\n"


def _stored(index: Path) -> dict[str, File]:
    """What was read before, each series' header in memory once; a line that is not whole is passed over."""
    if not index.exists():
        return {}
    found, headers = {}, {}
    with index.open() as stream:
        for line in stream:
            try:
                *values, heights_mm, fields = json.loads(line)
                header = SeriesHeader(*fields[:-1], tuple(fields[-1])) if fields else None
                file = File(*values, tuple(heights_mm), headers.setdefault(header, header))
            except (ValueError, TypeError):
                continue
            found[file.path] = file
    return found
