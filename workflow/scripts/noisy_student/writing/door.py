"""The one door for label maps that leave: the format is told by the file's name."""

from pathlib import Path

from noisy_student.images import NIFTI_ENDINGS, VOLUME_FORMATS, write_image
from noisy_student.reading.volume import Remark
from noisy_student.writing import nifti, slicer
from noisy_student.writing.formats import DICOM_SEG, FORMATS, SLICER
from noisy_student.writing.segmentation import NOTE, Segmentation

# Whatever a label map may be written as.
ENDINGS = (*VOLUME_FORMATS, FORMATS[DICOM_SEG])


def write_segmentation(segmentation: Segmentation, scan: Path, path: Path) -> tuple[Remark, ...]:
    """Write a label map of a scan as `path`; what there is to be said of it.

    Raises InputError for a format that does not keep the grid, and for DICOM-SEG where the scan is no DICOM that can be
    referred to.
    """
    if path.name.endswith(FORMATS[DICOM_SEG]):
        # It takes as long to import as a scan to read.
        from noisy_student.writing import dicom_seg

        return dicom_seg.write(segmentation, scan, path)
    if path.name.endswith(FORMATS[SLICER]):
        slicer.write(segmentation, path)
    elif path.name.endswith(NIFTI_ENDINGS):
        nifti.write(segmentation, path)
    else:
        image = segmentation.plain_image
        if segmentation.note:
            image.SetMetaData(NOTE, segmentation.described)
        write_image(image, path)
    return ()
