"""Which files of a folder are DICOM. Without any imaging library, as Snakemake itself asks this too."""

from pathlib import Path

EXTENSION = ".dcm"
MARK, MARK_AT = b"DICM", 128
INDEX = "DICOMDIR"


def is_dicom(path: Path) -> bool:
    """Whether the file's name or its mark says that it is DICOM."""
    if path.suffix.lower() == EXTENSION:
        return True
    with path.open("rb") as stream:
        stream.seek(MARK_AT)
        return stream.read(len(MARK)) == MARK


def dicom_files(folder: Path) -> list[Path]:
    """All DICOM files of a folder and its subfolders, by name; neither hidden ones nor indices."""
    return [path for path in visible_files(folder) if path.name != INDEX and is_dicom(path)]


def visible_files(folder: Path) -> list[Path]:
    """All files of a folder and its subfolders, by name, without hidden ones (macOS leaves `._name` in archives)."""
    return sorted(path for path in folder.rglob("*") if not path.name.startswith(".") and path.is_file())
