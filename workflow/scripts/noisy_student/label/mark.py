"""Label maps say in their header that `label_scan.py` made them: those alone it replaces, unless their voxels changed.

Programs that correct a label map keep what its header says; a checksum of the voxels in it tells that they did.
"""

from collections.abc import Callable
from pathlib import Path

import pydicom
import SimpleITK as sitk

from noisy_student.reading.dicom.files import is_dicom
from noisy_student.writing.checksum import of_segments, of_voxels
from noisy_student.writing.segmentation import NOTE, with_checksum

# NIfTI's field `descrip` has up to 79 bytes, DICOM's Content Description 64.
TEXT = "made by label_scan.py"


def is_marked(path: Path) -> bool:
    """Whether a file bears the mark."""
    return _mark_of(path).startswith(f"{TEXT} ")


def is_unchanged(path: Path) -> bool:
    """Whether a file that bears the mark still has the voxels that it was written with."""
    checksum = _checksum_of_dicom if is_dicom(path) else _checksum_of_image
    return _mark_of(path) == with_checksum(TEXT, _or_nothing(checksum, path))


def _mark_of(path: Path) -> str:
    return _or_nothing(_description_of_dicom if is_dicom(path) else _description_of_image, path)


def _or_nothing(read: Callable[[Path], str], path: Path) -> str:
    """What is read of a file; nothing of a damaged one, of which pydicom and ITK raise whatever its bytes lead to."""
    try:
        return read(path)
    except Exception:
        return ""


def _description_of_dicom(path: Path) -> str:
    return str(pydicom.dcmread(path, stop_before_pixels=True, force=True).get("ContentDescription", ""))


def _checksum_of_dicom(path: Path) -> str:
    return of_segments(pydicom.dcmread(path))


def _description_of_image(path: Path) -> str:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    return reader.GetMetaData(NOTE).strip() if reader.HasMetaDataKey(NOTE) else ""


def _checksum_of_image(path: Path) -> str:
    return of_voxels(sitk.ReadImage(str(path)))
