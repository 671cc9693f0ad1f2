"""The one door for scans and the one for label maps: the format is told by content, whatever the name says."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.reading import metaimage, nifti, nrrd
from noisy_student.reading.dicom import series
from noisy_student.reading.dicom.files import dicom_files, is_dicom
from noisy_student.reading.labels import whole_labels
from noisy_student.reading.nifti_file import GZIP, is_nifti
from noisy_student.reading.problems import not_an_image, unreadable
from noisy_student.reading.volume import Volume

START_BYTES = 4096


def read_scan(path: Path) -> Volume:
    """A scan: a file of any known format, or the folder of a DICOM series. Raises InputError if there is none."""
    return series.read(path) if path.is_dir() else _reader_of(path)(path)


def read_label_map(path: Path) -> Volume:
    """A label map of whole numbers: a file of any known format. Raises InputError if it is none."""
    if path.is_dir():
        raise InputError(f"a label map at {path}", "a folder", "name the file of the label map")
    return whole_labels(path, _reader_of(path)(path))


def _reader_of(path: Path) -> Callable[[Path], Volume]:
    try:
        with path.open("rb") as stream:
            start = stream.read(START_BYTES)
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error
    if start.startswith(GZIP) or is_nifti(start):
        return nifti.read
    if start.startswith(nrrd.MAGIC):
        return nrrd.read
    if metaimage.is_metaimage(start):
        return metaimage.read
    if is_dicom(path):
        return series.read_file
    raise not_an_image(path, start)


def checksum(path: Path) -> str:
    """SHA-256 of a scan's file, or of all files that it is made of, whatever their names."""
    files = dicom_files(path) if path.is_dir() else _files_of(path)
    if files == [path]:
        return sha256(path)
    return hashlib.sha256("".join(sorted(map(sha256, files))).encode()).hexdigest()


def _files_of(path: Path) -> list[Path]:
    """The file, and those that hold its voxels where it is a header beside them."""
    with path.open("rb") as stream:
        start = stream.read(START_BYTES)
    if start.startswith(nrrd.MAGIC):
        return sorted({path, *nrrd.data_files(path)})
    return sorted({path, *metaimage.data_files(path)}) if metaimage.is_metaimage(start) else [path]


def require_unchanged(path: Path, expected: str) -> None:
    """Raise InputError unless a scan or label map still is what it was when it was checked."""
    if (found := checksum(path)) != expected:
        raise InputError(
            f"{path} as it was when it was checked (SHA-256 {expected})",
            f"another content (SHA-256 {found})",
            "restore the file, or check the scans again: snakemake -R case_table",
        )
