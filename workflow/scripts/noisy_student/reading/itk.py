"""What SimpleITK reads, as a volume in canonical orientation."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.errors import InputError, last_line
from noisy_student.geometry import CANONICAL_ORIENTATION, orientation, reorient
from noisy_student.reading.problems import ONE_VOLUME, unreadable
from noisy_student.reading.volume import Remark, Volume

CHANNELS = "export one series as one volume; of several channels or time steps, one channel a file"


def read_with_itk(path: Path, image_io: str, remarks: tuple[Remark, ...] = ()) -> Volume:
    """Read a file with one of SimpleITK's readers, such as "NrrdImageIO"."""
    try:
        image = sitk.ReadImage(str(path), imageIO=image_io)
    except RuntimeError as error:
        raise unreadable(path, last_line(error)) from error
    return volume_of(path, image, remarks)


def volume_of(path: Path, image: sitk.Image, remarks: tuple[Remark, ...] = (), corrected: str = "") -> Volume:
    """The image turned, without texts of the file. Raises InputError unless it is one volume of finite real numbers."""
    components, kind = image.GetNumberOfComponentsPerPixel(), image.GetPixelIDTypeAsString()
    if image.GetDimension() != 3 or components != 1 or "complex" in kind:
        got = f"size {image.GetSize()} with {components} value(s) per voxel, {kind}"
        raise InputError(f"{ONE_VOLUME} in {path}", got, CHANNELS)
    voxels = sitk.GetArrayViewFromImage(image)
    if voxels.dtype.kind == "f" and not all(np.isfinite(slice_yx).all() for slice_yx in voxels):
        raise unreadable(path, "voxels that are no numbers (NaN or infinite)", "export the scan again")
    for key in image.GetMetaDataKeys():
        image.EraseMetaData(key)
    letters = orientation(image.GetDirection())
    return Volume(reorient(image, CANONICAL_ORIENTATION), letters, remarks, corrected=corrected)
