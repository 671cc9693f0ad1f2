"""Images that the workflow itself writes and reads back. Those of its users are read by `noisy_student.reading`.

Arrays are (z, y, x); sizes, spacings and origins of a file are in its stored (x, y, z) order.
"""

import errno
from pathlib import Path

import SimpleITK as sitk

from noisy_student.errors import InputError, last_line
from noisy_student.files import whole_file
from noisy_student.geometry import CANONICAL_ORIENTATION, Geometry, reorient
from noisy_student.reading import nifti
from noisy_student.reading.problems import unreadable

NIFTI_ENDINGS = (".nii", ".nii.gz")
# What holds a volume in one file; ITK writes these by endings in small letters alone.
VOLUME_FORMATS = (".nii.gz", ".nii", ".nrrd", ".mha")


def read_geometry(path: Path) -> Geometry:
    """Read the header only."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise unreadable(path, last_line(error)) from error
    return Geometry.of(reader)


def read_image(path: Path) -> sitk.Image:
    """Read a whole image, in the orientation in which it is stored."""
    if path.name.endswith(NIFTI_ENDINGS):
        nifti.require_whole_nifti(path)
    try:
        return sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise unreadable(path, last_line(error)) from error


def read_canonical(path: Path) -> sitk.Image:
    """Read a whole image, in canonical orientation."""
    return reorient(read_image(path), CANONICAL_ORIENTATION)


def write_image(image: sitk.Image, path: Path) -> None:
    """Write `path` in one step, compressed, and read it back: on a full disk SimpleITK writes what fits, silently.

    Raises InputError for a format that does not hold a volume, or that does not keep the image's grid.
    """
    if not path.name.endswith(VOLUME_FORMATS):
        remedy = f"give a name that ends in {VOLUME_FORMATS[0]}"
        raise InputError(f"a format that holds a volume and its place ({', '.join(VOLUME_FORMATS)})", str(path), remedy)
    with whole_file(path) as temporary:
        try:
            sitk.WriteImage(image, str(temporary), useCompression=True)
        except RuntimeError as error:
            raise OSError(errno.EIO, last_line(error), str(path)) from error
        try:
            written = _written_grid(temporary)
        except InputError as error:
            raise OSError(errno.ENOSPC, "the image was not written whole", str(path)) from error
        require_grid(path, Geometry.of(image), written)


def _written_grid(path: Path) -> Geometry:
    """The grid of an image that can be read to its end."""
    if not path.name.endswith(NIFTI_ENDINGS):
        return Geometry.of(read_image(path))
    nifti.require_whole_nifti(path)
    return read_geometry(path)


def require_grid(path: Path, wanted: Geometry, written: Geometry) -> None:
    """Raise unless the image that was read back has the size and, if it is a volume, the place of the written one."""
    if written.size_xyz == wanted.size_xyz and len(wanted.size_xyz) != 3:
        return
    if differences := wanted.differences(written):
        remedy = (
            "correct the place that the header gives the image, or give a name that ends in .mha: it has more digits"
        )
        raise InputError(f"a format that keeps the grid of {path}", "; ".join(differences), remedy)
