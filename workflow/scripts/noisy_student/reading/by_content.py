"""Which reader reads a file, and which files it reads then: the content says so, whatever the name."""

from collections.abc import Callable
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.reading import metaimage, nifti, nrrd
from noisy_student.reading.dicom import series
from noisy_student.reading.dicom.files import is_dicom
from noisy_student.reading.names import extension_of
from noisy_student.reading.nifti_file import GZIP, is_nifti
from noisy_student.reading.problems import not_an_image, unreadable
from noisy_student.reading.volume import Volume

START_BYTES = 4096
# Files whose voxels may lie in others.
HEADERS = (".mhd", ".mha", ".nhdr", ".nrrd")


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


def files_of(path: Path) -> list[Path]:
    """The file, and those beside it that hold its voxels, if it is a header. Raises InputError for a damaged one."""
    start, named = start_of(path), ()
    if start.startswith(nrrd.MAGIC):
        named = nrrd.data_files(path)
    elif metaimage.is_metaimage(start):
        named = metaimage.data_files(path)
    return list(dict.fromkeys([path, *named]))


def data_files(path: Path) -> list[Path]:
    """The files, there or not, that hold the voxels of a header; none of one that is damaged, or has another name."""
    try:
        return files_of(path)[1:] if extension_of(path) in HEADERS else []
    except InputError:
        return []


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
