"""Which files of a folder are DICOM. Without any imaging library, as Snakemake itself asks this too."""

import os
from pathlib import Path

EXTENSION = ".dcm"
MARK, MARK_AT = b"DICM", 128
INDEX = "DICOMDIR"


def is_dicom(path: Path) -> bool:
    """Whether the file's name or its mark says that it is DICOM; of one that cannot be read nobody knows, so yes."""
    if path.suffix.lower() == EXTENSION:
        return True
    try:
        with path.open("rb") as stream:
            stream.seek(MARK_AT)
            return stream.read(len(MARK)) == MARK
    except OSError:
        return True


def dicom_files(folder: Path) -> list[Path]:
    """All DICOM files of a folder and its subfolders, by name; neither hidden ones nor indices."""
    return [path for path in visible_files(folder) if path.name != INDEX and is_dicom(path)]


def visible_files(folder: Path) -> list[Path]:
    """All files of a folder and its subfolders, by name, without hidden ones (macOS leaves `._name` in archives)."""
    return [Path(name) for name in visible_names(folder)]


def visible_names(folder: Path) -> list[str]:
    """The same as text, which is fast enough for a million slices."""
    walked = os.walk(folder)
    return sorted(f"{root}/{name}" for root, _, names in walked for name in names if not name.startswith("."))
