"""Headers whose voxels lie in files of their own (`.mhd`, `.nhdr`), without any imaging library.

MetaImage: https://itk.org/Wiki/ITK/MetaIO/Documentation, NRRD: https://teem.sourceforge.net/nrrd/format.html#detached
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

HEADERS = (".mhd", ".mha", ".nhdr", ".nrrd")
LONGEST_HEADER_BYTES, MOST_FILES = 1 << 16, 10_000
_FIELD = re.compile(r"\s*(?:ElementDataFile\s*=|data ?file\s*:)\s*(.*?)\s*$", re.IGNORECASE)
_IN_THE_SAME_FILE = "LOCAL"


def data_files(header: Path) -> list[Path]:
    """The files that hold a header's voxels, there or not; none where they follow in the same file."""
    if not header.name.lower().endswith(HEADERS):
        return []
    try:
        with header.open("rb") as stream:
            lines = stream.read(LONGEST_HEADER_BYTES).decode("latin-1").splitlines()
    except OSError:
        return []
    return [header.parent / name for name in islice(_names(lines), MOST_FILES)]


def _names(lines: list[str]) -> Iterator[str]:
    """One name, a list of names below, or a pattern with its first and last number and the step."""
    for number, line in enumerate(lines):
        if not line.strip():
            return
        if field := _FIELD.match(line):
            value = field[1]
            if value.split()[:1] == ["LIST"]:
                yield from (name.strip() for name in lines[number + 1 :] if name.strip())
            elif "%" in value:
                yield from _numbered(value)
            elif value.upper() != _IN_THE_SAME_FILE:
                yield value
            return


def _numbered(pattern: str) -> Iterator[str]:
    name, *numbers = pattern.split()
    try:
        first, last, step = (int(number) for number in (*numbers, "1")[:3])
        yield from (name % number for number in range(first, last + 1, step))
    except (TypeError, ValueError):
        return
