"""Which reader reads a file: its content says so, whatever its name."""

from collections.abc import Callable
from pathlib import Path

from noisy_student.reading import metaimage, nifti, nrrd
from noisy_student.reading.dicom import series
from noisy_student.reading.dicom.files import is_dicom
from noisy_student.reading.nifti_file import GZIP, is_nifti
from noisy_student.reading.problems import not_an_image, unreadable
from noisy_student.reading.volume import Volume

START_BYTES = 4096


def read_file(path: Path) -> Volume:
    """The volume in a file of any known format. Raises InputError if it is none."""
    return _reader_of(path)(path)


def start_of(path: Path) -> bytes:
    """How a file begins. Raises InputError if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(START_BYTES)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error


def _reader_of(path: Path) -> Callable[[Path], Volume]:
    start = start_of(path)
    if start.startswith(GZIP) or is_nifti(start):
        return nifti.read
    if start.startswith(nrrd.MAGIC):
        return nrrd.read
    if metaimage.is_metaimage(start):
        return metaimage.read
    if is_dicom(path):
        return series.read_file
    raise not_an_image(path, start)
