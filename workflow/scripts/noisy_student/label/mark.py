"""Label maps say in their header that `label_scan.py` made them: those alone it replaces."""

from pathlib import Path

import SimpleITK as sitk

# ITK's name of NIfTI's field `descrip`, which has up to 79 bytes; NRRD and MHA take any.
FIELD, TEXT = "ITK_FileNotes", "made by label_scan.py"


def marked(label_map: sitk.Image) -> sitk.Image:
    """The label map with the mark."""
    label_map.SetMetaData(FIELD, TEXT)
    return label_map


def is_marked(path: Path) -> bool:
    """Whether a file bears the mark."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return False
    return reader.HasMetaDataKey(FIELD) and reader.GetMetaData(FIELD).strip() == TEXT
