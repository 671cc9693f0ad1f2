"""Which files of a folder are DICOM. Without any imaging library, as Snakemake itself asks this too."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from noisy_student.errors import InputError

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
    files = [Path(name) for name in _names_in(folder, _refuse)]
    found = {path for path in files if is_dicom(path)}
    patterns = {_pattern(path) for path in found if path.suffix.lower() != EXTENSION}
    return [path for path in files if path in found or _pattern(path) in patterns]


def _pattern(path: Path) -> tuple[Path, str]:
    return path.parent, re.sub(r"\d+", "0", path.name)


def visible_files(folder: Path) -> list[Path]:
    """All files of a folder and its subfolders, by name, without hidden ones (macOS leaves `._name` in archives)."""
    return [Path(name) for name in visible_names(folder)]


def visible_names(folder: Path) -> list[str]:
    """The same as text, which is fast enough for a million slices; of a subfolder that cannot be read nothing."""
    return _names_in(folder)


def _names_in(folder: Path, on_error: Callable[[OSError], None] | None = None) -> list[str]:
    """Links to folders are followed, each folder once, as a link may lead to one above; hidden ones are left out."""
    names, seen = [], set()
    for root, folders, files in os.walk(folder, onerror=on_error, followlinks=True):
        state = os.stat(root)  # noqa: PTH116 (fast)
        is_new = (state.st_dev, state.st_ino) not in seen
        seen.add((state.st_dev, state.st_ino))
        folders[:] = sorted(name for name in folders if is_new and not name.startswith("."))
        names += [f"{root}/{name}" for name in files if is_new and not name.startswith(".")]
    return sorted(names)


def _refuse(error: OSError) -> None:
    """A part of the slices that nobody can see is no reason to take the others for all."""
    remedy = "make it readable, or take it out"
    raise InputError(f"a readable folder {error.filename}", error.strerror or str(error), remedy) from error
