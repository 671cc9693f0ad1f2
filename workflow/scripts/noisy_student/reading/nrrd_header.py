"""The header of a NRRD file, as text, and where it says that its voxels lie.

Format: https://teem.sourceforge.net/nrrd/format.html
"""

import re
from dataclasses import dataclass
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.reading.problems import number_in
from noisy_student.reading.stored import MOST_FILES, Stored

LONGEST_LINE = 1_000_000
# A field has a space behind its first colon, a key of the user's an equals sign.
LINE = re.compile(r"([^:#]+):(=| +)(.*)")
PACKED, RAW, TEXT = ("gzip", "gz"), ("raw",), ("ascii", "text", "txt", "hex")


@dataclass(frozen=True)
class Header:
    """Fields, their names in lower case without spaces, keys, lines after a list of files, the byte where it ends."""

    fields: dict[str, str]
    keys: dict[str, str]
    listed: tuple[str, ...]
    end: int

    @property
    def encoding(self) -> str:
        """How voxels are stored, in lower case."""
        return self.fields.get("encoding", "").lower()


def read_header(path: Path) -> Header:
    """The header, to its empty line or to the end of the file."""
    fields, keys, listed = {}, {}, []
    with path.open("rb") as stream:
        stream.readline(LONGEST_LINE)
        while line := stream.readline(LONGEST_LINE).decode(errors="replace").rstrip("\r\n"):
            if fields.get("datafile", "").startswith("LIST"):
                listed.append(line.strip())
            elif found := LINE.fullmatch(line):
                name, kind, value = found.groups()
                if kind == "=":
                    keys[_plain(name)] = _plain(value)
                else:
                    fields[name.replace(" ", "").lower()] = value.strip()
        return Header(fields, keys, tuple(listed), stream.tell())


def _plain(text: str) -> str:
    """A key or its value, in which line breaks and backslashes are written with a backslash."""
    return re.sub(r"\\([n\\])", lambda found: "\n" if found[1] == "n" else "\\", text)


def files_of(path: Path, header: Header) -> tuple[Path, ...]:
    """The files that hold the voxels, in order; the header's own, if they follow it."""
    named = header.fields.get("datafile", "")
    if not named:
        return (path,)
    if named.startswith("LIST"):
        return tuple(path.parent / name for name in header.listed)
    pattern, *numbers = named.split()
    if len(numbers) < 3 or "%" not in pattern:
        return (path.parent / named,)
    first, last, step = (number_in(path, "data file", number) for number in numbers[:3])
    try:
        numbered = range(first, last + (1 if step > 0 else -1), step)[:MOST_FILES]
        return tuple(path.parent / (pattern % number) for number in numbered)
    except (TypeError, ValueError) as error:
        remedy = "correct `data file` in the header, or export the image again as one file"
        raise InputError(f"names of files in the header of {path}", named, remedy) from error


def stored_of(path: Path, header: Header, files: tuple[Path, ...]) -> Stored:
    """Where the voxels lie. Raises InputError for an encoding that is not read."""
    if header.encoding not in (*PACKED, *RAW):
        remedy = "save it with another encoding: gzip (as 3D Slicer and SimpleITK do) or raw"
        raise InputError(f"voxels in {path} that can be read", f"the encoding {header.encoding!r}", remedy)
    lines, skip = (number_in(path, name, header.fields.get(name, "0")) for name in ("lineskip", "byteskip"))
    return Stored(
        files, header.end if files == (path,) else 0, lines, skip,
        is_packed=header.encoding in PACKED, is_big_endian=header.fields.get("endian", "").lower() == "big",
    )  # fmt: skip
