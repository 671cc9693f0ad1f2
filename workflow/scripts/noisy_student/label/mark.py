"""Label maps say in their header that `label_scan.py` made them: those alone it replaces."""

from pathlib import Path

import pydicom
import SimpleITK as sitk

from noisy_student.reading.dicom.files import is_dicom
from noisy_student.writing.segmentation import NOTE

# NIfTI's field `descrip` has up to 79 bytes, DICOM's Content Description 64.
TEXT = "made by label_scan.py"


def is_marked(path: Path) -> bool:
    """Whether a file bears the mark."""
    if is_dicom(path):
        return _is_marked_dicom(path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return False
    return reader.HasMetaDataKey(NOTE) and reader.GetMetaData(NOTE).strip() == TEXT


def _is_marked_dicom(path: Path) -> bool:
    try:
        return pydicom.dcmread(path, stop_before_pixels=True, force=True).get("ContentDescription") == TEXT
    except Exception:  # pydicom raises whatever damaged bytes lead to
        return False
