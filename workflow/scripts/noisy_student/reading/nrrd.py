"""NRRD files."""

from pathlib import Path

from noisy_student.reading.itk import read_with_itk
from noisy_student.reading.volume import Volume

MAGIC = b"NRRD"


def read(path: Path) -> Volume:
    """Read a file. Raises InputError unless it is one whole volume."""
    return read_with_itk(path, "NrrdImageIO")
