"""MetaImage files: MHA, and MHD with its data beside it."""

from pathlib import Path

from noisy_student.reading.itk import read_with_itk
from noisy_student.reading.volume import Volume


def is_metaimage(start: bytes) -> bool:
    """Whether a file that starts so is a MetaImage."""
    return b"NDims" in start[:1000] and b"=" in start[:1000]


def read(path: Path) -> Volume:
    """Read a file. Raises InputError unless it is one whole volume."""
    return read_with_itk(path, "MetaImageIO")
