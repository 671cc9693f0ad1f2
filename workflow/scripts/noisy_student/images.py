"""Scans and label maps on disk: reading, geometry, orientation, writing.

Arrays are (z, y, x); sizes, spacings and origins of a file are in its stored (x, y, z) order.
"""

import errno
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.damage import remedy
from noisy_student.dicom import read_series, series_sha256
from noisy_student.errors import InputError, last_line
from noisy_student.files import sha256, whole_file
from noisy_student.nifti import defect

# x grows to the patient's left, y to the back, z to the head: shown as stored, a slice has the patient's
# right on the image's left and the front on top, and the last array axis is left-right.
CANONICAL_ORIENTATION = "LPS"
GEOMETRY_TOLERANCE = 1e-3
NIFTI = (".nii", ".nii.gz")


@dataclass(frozen=True)
class Geometry:
    """Where a grid lies in the patient: size in voxels, spacing and origin in mm, direction cosines (3 × 3)."""

    size_xyz: tuple[int, ...]
    spacing_mm_xyz: tuple[float, ...]
    origin_mm_xyz: tuple[float, ...]
    direction: tuple[float, ...]

    @classmethod
    def of(cls, image: "sitk.Image | sitk.ImageFileReader") -> "Geometry":
        """The geometry of an image, or of a reader that has read a header."""
        return cls(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())

    def differences(self, other: "Geometry") -> list[str]:
        """One line per field in which the grids differ by more than `GEOMETRY_TOLERANCE`; empty if none."""
        fields = ("size_xyz", "spacing_mm_xyz", "origin_mm_xyz", "direction")
        return [
            f"{field} {_short(getattr(self, field))} and {_short(getattr(other, field))}"
            for field in fields
            if not _close(getattr(self, field), getattr(other, field))
        ]


def _short(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"


def _close(left: tuple[float, ...], right: tuple[float, ...]) -> bool:
    return len(left) == len(right) and np.allclose(left, right, rtol=0, atol=GEOMETRY_TOLERANCE)


def read_geometry(path: Path) -> Geometry:
    """Read the header only; of a DICOM series, a folder, all of it."""
    if path.is_dir():
        return Geometry.of(read_series(path))
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _unreadable(path, last_line(error)) from error
    return Geometry.of(reader)


def read_image(path: Path) -> sitk.Image:
    """Read a scan or label map: a file of any format that SimpleITK knows, or the folder of a DICOM series."""
    if path.is_dir():
        return read_series(path)
    require_whole_nifti(path)
    try:
        return sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise _unreadable(path, last_line(error)) from error


def require_whole_nifti(path: Path) -> None:
    """Raise InputError unless a NIfTI file can be read to its end; SimpleITK takes what is missing for zeros."""
    try:
        found = defect(path) if path.name.endswith(NIFTI) else None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    if found:
        raise _unreadable(path, found)


def checksum(path: Path) -> str:
    """SHA-256 of a scan's file, or of all files of its series."""
    return series_sha256(path) if path.is_dir() else sha256(path)


def require_unchanged(path: Path, expected: str) -> None:
    """Raise InputError unless a scan or label map still is what it was when it was checked."""
    if (found := checksum(path)) != expected:
        raise InputError(
            f"{path} as it was when it was checked (SHA-256 {expected})",
            f"another content (SHA-256 {found})",
            "restore the file, or check the scans again: snakemake -R case_table",
        )


def _unreadable(path: Path, reason: str) -> InputError:
    got = f"unreadable: {reason}" if path.exists() else "no such file"
    return InputError(f"a readable image at {path}", got, remedy(path))


def unlike_a_volume(image: sitk.Image) -> str | None:
    """Size and kind of an image that is not one volume of real numbers; None of one that is."""
    components, kind = image.GetNumberOfComponentsPerPixel(), image.GetPixelIDTypeAsString()
    if image.GetDimension() == 3 and components == 1 and "complex" not in kind:
        return None
    return f"size {image.GetSize()} with {components} value(s) per voxel, {kind}"


def write_image(image: sitk.Image, path: Path) -> None:
    """Write `path` in one step, compressed, and read it back: on a full disk SimpleITK writes what fits, silently."""
    with whole_file(path) as temporary:
        sitk.WriteImage(image, str(temporary), useCompression=True)
        try:
            read_image(temporary)
        except InputError as error:
            raise OSError(errno.ENOSPC, "the image was not written whole", str(path)) from error


def image_like(array_zyx: np.ndarray, reference: sitk.Image) -> sitk.Image:
    """An image with the reference's geometry and the given voxels."""
    image = sitk.GetImageFromArray(array_zyx)
    image.CopyInformation(reference)
    return image


def image_on(array_zyx: np.ndarray, geometry: Geometry) -> sitk.Image:
    """An image of the given voxels where the geometry says."""
    image = sitk.GetImageFromArray(array_zyx)
    image.SetSpacing(geometry.spacing_mm_xyz)
    image.SetOrigin(geometry.origin_mm_xyz)
    image.SetDirection(geometry.direction)
    return image


def orientation(direction: tuple[float, ...]) -> str:
    """The three letters that x, y and z grow towards, e.g. "LPS" or "RAS" (nearest for an oblique grid)."""
    return sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(direction)


def reorient(image: sitk.Image, letters: str) -> sitk.Image:
    """Flip and permute axes (never interpolate) so that x, y and z grow towards the given letters."""
    if orientation(image.GetDirection()) == letters:
        return image
    return sitk.DICOMOrient(image, letters)
