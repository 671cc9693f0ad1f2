"""Where a grid of voxels lies in the patient, and grids turned to one another without interpolation.

Arrays are (z, y, x); sizes, spacings and origins are in (x, y, z) order, in mm, x growing to the patient's left, y to
the back, z to the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import SimpleITK as sitk

# Shown as stored, a slice has the patient's right on the image's left and the front on top, and the last array axis is
# left-right.
CANONICAL_ORIENTATION = "LPS"
# Of axes (x, y, z) that run along the patient.
PATIENT_AXES = {"L": 0, "R": 0, "P": 1, "A": 1, "S": 2, "I": 2}
# How far voxels of one grid may be from those of the other, as a share of a voxel.
SHARE_OF_VOXEL = 0.1
MM3_PER_ML = 1000
# What direction cosines of three digits may be turned by.
ROUNDED_DEGREES = 0.06
FIELDS = {
    "size_xyz": "size",
    "spacing_mm_xyz": "spacing in mm",
    "origin_mm_xyz": "origin in mm",
    "direction": "direction",
}


def voxel_volume_ml(spacing_mm: Sequence[float]) -> float:
    """The volume of a voxel, whatever the order of the axes."""
    return float(prod(spacing_mm)) / MM3_PER_ML


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

    @property
    def axes(self) -> np.ndarray:
        """Direction cosines (3, 3), a column for each axis of the grid."""
        return np.reshape(self.direction, (3, 3))

    def places_mm(self, index_xyz: np.ndarray) -> np.ndarray:
        """Where voxels (n, 3) lie."""
        return np.array(self.origin_mm_xyz) + (index_xyz * np.array(self.spacing_mm_xyz)) @ self.axes.T

    def offset(self, other: "Geometry") -> float:
        """How far the voxels of two grids of one size are apart at most, as a share of this grid's smallest spacing.

        A turn as small as rounding of the header's cosines counts at the centre alone.
        """
        corners = np.array(list(product(*((0, size - 1) for size in self.size_xyz))), float)
        apart_mm = other.places_mm(corners) - self.places_mm(corners)
        if self.degrees_to(other) < ROUNDED_DEGREES and np.allclose(
            self.spacing_mm_xyz, other.spacing_mm_xyz, rtol=1e-4
        ):
            apart_mm = apart_mm.mean(axis=0, keepdims=True)
        return float(np.linalg.norm(apart_mm, axis=1).max() / min(self.spacing_mm_xyz))

    def degrees_to(self, other: "Geometry") -> float:
        """The largest angle between an axis of this grid and the same axis of the other."""
        cosines = np.clip((self.axes * other.axes).sum(axis=0), -1, 1)
        return float(np.degrees(np.arccos(cosines)).max())

    def differences(self, other: "Geometry") -> list[str]:
        """One line per field in which the grids differ; none where all voxels are within `SHARE_OF_VOXEL`."""
        if self.size_xyz == other.size_xyz and self.offset(other) <= SHARE_OF_VOXEL:
            return []
        lines = [
            f"{words} {_short(getattr(self, name))} and {_short(getattr(other, name))}"
            for name, words in FIELDS.items()
        ]
        differing = [not self._agrees(other, name) for name in FIELDS]
        # Small differences that add up are shown together.
        return [line for line, differs in zip(lines, differing, strict=True) if differs or not any(differing)]

    def _agrees(self, other: "Geometry", name: str) -> bool:
        """Whether one field alone would leave every voxel in its place."""
        mine, others = getattr(self, name), getattr(other, name)
        if len(mine) != len(others) or name == "size_xyz":
            return mine == others
        tolerance = {
            "spacing_mm_xyz": SHARE_OF_VOXEL * min(self.spacing_mm_xyz) / max(self.size_xyz),
            "origin_mm_xyz": SHARE_OF_VOXEL * min(self.spacing_mm_xyz),
            "direction": np.radians(ROUNDED_DEGREES),
        }[name]
        return np.allclose(mine, others, rtol=0, atol=tolerance)


def _short(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"


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


def canonical_array(array_zyx: np.ndarray, letters: str) -> np.ndarray:
    """An array (z, y, x) whose x, y and z grow towards `letters`, with its axes in canonical orientation (a view)."""
    order, turned = _turns(letters)
    return np.flip(array_zyx.transpose(order), turned)


def canonical_box(box_zyx: Sequence[slice], shape_zyx: Sequence[int], letters: str) -> tuple[slice, ...]:
    """The same of a box in such an array of `shape_zyx`."""
    order, turned = _turns(letters)
    return tuple(
        slice(shape_zyx[axis] - box_zyx[axis].stop, shape_zyx[axis] - box_zyx[axis].start)
        if number in turned
        else box_zyx[axis]
        for number, axis in enumerate(order)
    )


def _turns(letters: str) -> tuple[list[int], tuple[int, ...]]:
    """Which axis of an array (z, y, x) runs along each canonical one, and which of these then are turned round."""
    along = {PATIENT_AXES[letter]: (2 - axis, letter) for axis, letter in enumerate(letters)}
    order = [along[axis][0] for axis in (2, 1, 0)]
    turned = tuple(2 - axis for axis, (_, letter) in along.items() if letter != CANONICAL_ORIENTATION[axis])
    return order, turned


def turned_like(image: sitk.Image, reference: Geometry) -> sitk.Image:
    """Flip and permute axes (never interpolate) so that each runs along the reference's axis of the same number.

    Other than letters, this does not depend on which way an axis is rounded that lies between two of the patient's.
    """
    along = reference.axes.T @ Geometry.of(image).axes
    order = [int(axis) for axis in np.abs(along).argmax(axis=1)]
    if sorted(order) != [0, 1, 2]:
        return image
    if order != [0, 1, 2]:
        image = sitk.PermuteAxes(image, order)
        along = along[:, order]
    flips = [bool(along[axis, axis] < 0) for axis in range(3)]
    return _flipped(image, flips) if any(flips) else image


def _flipped(image: sitk.Image, axes: list[bool]) -> sitk.Image:
    """The image with axes turned round, every voxel where it was."""
    flipped = sitk.Flip(image, axes, flipAboutOrigin=False)
    # ITK's filter leaves the direction of the axes as it was and moves the origin.
    signs = np.where(axes, -1.0, 1.0)
    geometry = Geometry.of(image)
    far = np.array([[size - 1 if flip else 0 for size, flip in zip(image.GetSize(), axes, strict=True)]], float)
    flipped.SetOrigin(geometry.places_mm(far)[0].tolist())
    flipped.SetDirection((geometry.axes * signs).ravel().tolist())
    return flipped
