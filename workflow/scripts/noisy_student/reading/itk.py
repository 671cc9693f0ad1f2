"""What SimpleITK reads, as a volume in canonical orientation."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.errors import InputError, last_line
from noisy_student.geometry import CANONICAL_ORIENTATION, Geometry, orientation, reorient
from noisy_student.reading.problems import CHANNELS, HEADER, ONE_VOLUME, unreadable
from noisy_student.reading.volume import Remark, Volume

TYPES = {
    f"{bits}-bit {sign}signed integer": f"{code}{bits // 8}"
    for bits in (8, 16, 32, 64)
    for sign, code in (("", "i"), ("un", "u"))
}
TYPES |= {"32-bit float": "f4", "64-bit float": "f8"}


def grid_and_type(path: Path, image_io: str, values: int = 1) -> tuple[Geometry, np.dtype]:
    """What the header says to one of SimpleITK's readers, such as "NrrdImageIO"; further dimensions of one are none.

    Raises InputError unless it is one volume of so many real numbers a voxel.
    """
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(image_io)
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise unreadable(path, f"a header that SimpleITK cannot read: {last_line(error)}", HEADER) from error
    size, components = reader.GetSize(), reader.GetNumberOfComponents()
    kind = sitk.GetPixelIDValueAsString(reader.GetPixelIDValue()).removeprefix("vector of ")
    if len(size) < 3 or size[3:] != (1,) * len(size[3:]) or components != values or kind not in TYPES:
        raise no_volume(path, size, components, kind)
    axes = np.reshape(reader.GetDirection(), (len(size), len(size)))[:3, :3]
    place = (reader.GetSpacing()[:3], reader.GetOrigin()[:3], tuple(axes.ravel().tolist()))
    return Geometry(size[:3], *place), np.dtype(TYPES[kind])


def voxels_as_text(path: Path, image_io: str, shape_zyx: tuple[int, ...]) -> np.ndarray:
    """The voxels of a file that has them as text: SimpleITK wants a number for each."""
    try:
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path), imageIO=image_io)).reshape(shape_zyx)
    except RuntimeError as error:
        raise unreadable(path, f"no number for every voxel in its text: {last_line(error)}", HEADER) from error


def volume_of(path: Path, image: sitk.Image, remarks: tuple[Remark, ...] = (), corrected: str = "") -> Volume:
    """The image turned, without texts of the file. Raises InputError unless it is one volume of finite real numbers."""
    components, kind = image.GetNumberOfComponentsPerPixel(), image.GetPixelIDTypeAsString()
    if image.GetDimension() != 3 or components != 1 or "complex" in kind:
        raise no_volume(path, image.GetSize(), components, kind)
    voxels = sitk.GetArrayViewFromImage(image)
    if voxels.dtype.kind == "f" and not all(np.isfinite(slice_yx).all() for slice_yx in voxels):
        raise unreadable(path, "voxels that are no numbers (NaN or infinite)", "export the scan again")
    for key in image.GetMetaDataKeys():
        image.EraseMetaData(key)
    letters = orientation(image.GetDirection())
    return Volume(reorient(image, CANONICAL_ORIENTATION), letters, remarks, corrected=corrected)


def no_volume(path: Path, size: Sequence[int], components: int, kind: str) -> InputError:
    """The error for a file that holds something else than one volume of real numbers."""
    return InputError(
        f"{ONE_VOLUME} in {path}", f"size {tuple(size)} with {components} value(s) per voxel, {kind}", CHANNELS
    )
