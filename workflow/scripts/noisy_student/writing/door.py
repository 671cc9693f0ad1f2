"""The one door for label maps that leave: the format is told by the file's name."""

from pathlib import Path

from noisy_student.images import VOLUME_FORMATS, write_image
from noisy_student.reading.volume import Remark
from noisy_student.writing import dicom_seg, nifti, slicer
from noisy_student.writing.segmentation import NOTE, Segmentation

# What a format is called, and how its files' names end.
FORMATS = {"nii.gz": ".nii.gz", "seg.nrrd": slicer.ENDING, "dicom-seg": dicom_seg.ENDING}
# Whatever a label map may be written as.
ENDINGS = (*VOLUME_FORMATS, dicom_seg.ENDING)


def write_segmentation(segmentation: Segmentation, scan: Path, path: Path) -> tuple[Remark, ...]:
    """Write a label map of a scan as `path`; what there is to be said of it.

    Raises InputError for a format that does not keep the grid, and for DICOM-SEG where the scan is no DICOM that can be
    referred to.
    """
    if path.name.endswith(dicom_seg.ENDING):
        return dicom_seg.write(segmentation, scan, path)
    if path.name.endswith(slicer.ENDING):
        slicer.write(segmentation, path)
    elif path.name.endswith(nifti.ENDINGS):
        nifti.write(segmentation, path)
    else:
        image = segmentation.plain_image
        if segmentation.note:
            image.SetMetaData(NOTE, segmentation.note)
        write_image(image, path)
    return ()
