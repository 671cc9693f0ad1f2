"""Which files of a folder are DICOM. Without any imaging library, as Snakemake itself asks this too."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

EXTENSION = ".dcm"
MARK, MARK_AT = b"DICM", 128
INDEX = "dicomdir"
# A file without preamble and mark begins with its file meta information or with its identification.
FIRST_GROUPS = (0x0002, 0x0008)
LARGEST_FIRST_VALUE = 1024
START_BYTES = 2 * (12 + LARGEST_FIRST_VALUE)
# What first elements may be: the value representations of groups 0002 and 0008, and those of them with long lengths.
KINDS = (b"UL", b"OB", b"UI", b"SH", b"CS", b"DA", b"TM", b"DT", b"AE", b"LO", b"PN", b"ST", b"UR", b"SQ", b"US")
LONG_KINDS = (b"OB", b"SQ", b"UR")


def is_dicom(path: Path) -> bool:
    """Whether the file's name or content says that it is DICOM, with or without the mark, and no index (DICOMDIR).

    Of a file that cannot be read nobody knows, so yes.
    """
    if path.name.lower().startswith(INDEX):
        return False
    if path.suffix.lower() == EXTENSION:
        return True
    try:
        with path.open("rb") as stream:
            start = stream.read(START_BYTES)
    except OSError:
        return True
    return start[MARK_AT : MARK_AT + len(MARK)] == MARK or is_data_set(start)


def is_dicom_scan(scan: Path) -> bool:
    """Whether a scan is DICOM, a folder of slices or a file of many frames."""
    return scan.is_dir() or is_dicom(scan)


def is_data_set(start: bytes) -> bool:
    """Whether bytes begin with two elements of a DICOM data set, in any of its encodings."""
    return any(
        _has_two_elements(start, byte_order, is_explicit)
        for byte_order, is_explicit in (("little", True), ("little", False), ("big", True))
    )


def _has_two_elements(start: bytes, byte_order: str, is_explicit: bool) -> bool:
    first, value_at, length = _element(start, 0, byte_order, is_explicit)
    if first is None or not 0 <= length <= LARGEST_FIRST_VALUE or length % 2:
        return False
    second, _, length = _element(start, value_at + length, byte_order, is_explicit)
    return second is not None and second > first and (is_explicit or length <= LARGEST_FIRST_VALUE)


def _element(start: bytes, at: int, byte_order: str, is_explicit: bool) -> tuple[tuple[int, int] | None, int, int]:
    """Tag, place of its value and length of a first group's element; no tag where there cannot be one."""
    group, element = (int.from_bytes(start[at + n : at + n + 2], byte_order) for n in (0, 2))
    kind = start[at + 4 : at + 6]
    if group not in FIRST_GROUPS or len(start) < at + 12 or (is_explicit and kind not in KINDS):
        return None, at, 0
    length_at, size = (at + 4, 4) if not is_explicit else (at + 8, 4) if kind in LONG_KINDS else (at + 6, 2)
    length = int.from_bytes(start[length_at : length_at + size], byte_order)
    return (group, element), length_at + size, length


def dicom_files(folder: Path) -> list[Path]:
    """All DICOM files of a folder and its subfolders, by name; neither hidden ones nor indices.

    A file that is none but named as the others are, up to numbers, is a damaged one of theirs.
    """
    files = visible_files(folder)
    found = {path for path in files if is_dicom(path)}
    patterns = {pattern_of(path) for path in found if path.suffix.lower() != EXTENSION}
    return [path for path in files if path in found or pattern_of(path) in patterns]


def pattern_of(path: Path) -> tuple[Path, str]:
    """What files have in common that are named alike in one folder, up to numbers."""
    return path.parent, re.sub(r"\d+", "0", path.name)


def visible_files(folder: Path) -> list[Path]:
    """All files of a folder and its subfolders, by name, without hidden ones (macOS leaves `._name` in archives)."""
    return [Path(name) for name in visible_names(folder)]


def visible_names(folder: Path) -> list[str]:
    """The same as text, which is fast enough for a million slices."""
    return sorted(f"{root}/{name}" for root, names in _walked(folder) for name in names if not name.startswith("."))


def _walked(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A folder and those below it with the names in them: through links, each once, without hidden ones.

    A folder that may not be read is a name, so that nobody takes the rest for all.
    """
    seen = {_identity(str(folder))}
    for root, folders, names in os.walk(folder, followlinks=True):
        yield root, names + [name for name in folders if not may_be_read(f"{root}/{name}")]
        below = {name: _identity(f"{root}/{name}") for name in sorted(folders) if not name.startswith(".")}
        folders[:] = [name for name, place in below.items() if place not in seen and not seen.add(place)]


def may_be_read(folder: Path | str) -> bool:
    """Whether what lies in a folder may be listed and read."""
    return os.access(folder, os.R_OK | os.X_OK)


def _identity(folder: str) -> tuple[int, int]:
    state = os.stat(folder)  # noqa: PTH116 (fast)
    return state.st_dev, state.st_ino
