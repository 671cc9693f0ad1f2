"""What a scan or label map really holds and where, and how far a converted one is from it.

The truth never comes from the project's readers: of NIfTI it is nibabel's, of slices pydicom's, of a made series what
was written. Values are (z, y, x), positions in mm with x to the patient's left, y to the back, z to the head.
"""

import gzip
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import SimpleITK as sitk
from scipy.ndimage import map_coordinates

# Below is air or padding, and which number a voxel of either has is no matter.
AIR_HU = -950
# Half of the largest slope of a made series, 1.15: what is stored are whole numbers.
ROUNDING_HU = 0.58
# What lies this near to a voxel's centre is on the same grid; anything else was resampled or has been moved. Resampling
# by half a voxel changes an edge between air and body by less than the limit, a greater move by more.
SAME_GRID_VOXELS, MOVED_HU = 0.25, 650
NIFTI2_HEADER_BYTES = 540
OFFSET_AT, LEAST_OFFSET = slice(108, 112), 352
MM = {"unknown": 1.0, "mm": 1.0, "meter": 1e3, "micron": 1e-3}


nibabel.imageglobals.logger.disabled = True
sitk.ProcessObject.SetGlobalWarningDisplay(False)


@dataclass(frozen=True)
class Truth:
    """Values, the position of each slice's first voxel (z × 3), and the steps along x and y as columns (3 × 2)."""

    values_zyx: np.ndarray
    positions_mm: np.ndarray
    steps_mm: np.ndarray

    def points_mm(self) -> np.ndarray:
        """The place of every voxel, one column each, in the order of the values."""
        _, rows, columns = self.values_zyx.shape
        y, x = (index.ravel() for index in np.mgrid[:rows, :columns])
        in_plane = self.steps_mm @ np.stack([x, y])
        return np.concatenate([position[:, None] + in_plane for position in self.positions_mm], axis=1)


def truth_of(path: Path) -> Truth | None:
    """The truth of a scan or label map as the scripts lay it out; None if nothing but the project could say."""
    if path.name.lower().endswith((".nii", ".nii.gz")):
        return of_nifti(path)
    if (made := path.parent.parent / "truth" / f"{path.name}.npz").exists():
        return of_made_series(made)
    # All series of such a folder hold the same scan.
    return of_slices(path.parent / "plain") if path.is_dir() and (path.parent / "plain").is_dir() else None


def of_nifti(path: Path) -> Truth | None:
    """A NIfTI file of either version, by its content, in mm; None if it is none."""
    content = path.read_bytes()
    content = bytearray(gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content)
    kind = nibabel.Nifti2Image if NIFTI2_HEADER_BYTES in np.frombuffer(content[:4], "<i4") else nibabel.Nifti1Image
    if kind is nibabel.Nifti1Image and not any(content[OFFSET_AT]):
        # nibabel would take the header for voxels.
        content[OFFSET_AT] = np.float32(LEAST_OFFSET).tobytes()
    try:
        image = kind.from_bytes(bytes(content))
    except nibabel.spatialimages.HeaderDataError:
        return None
    affine = np.diag((-1, -1, 1, 1)) @ image.affine * MM[image.header.get_xyzt_units()[0]]
    values_zyx = image.get_fdata().transpose(2, 1, 0)
    positions = affine[:3, 3] + np.arange(len(values_zyx))[:, None] * affine[:3, 2]
    return Truth(values_zyx, positions, affine[:3, :2])


def of_made_series(path: Path) -> Truth:
    """What the maker of a series wrote down: hu, positions, and where they are special axes, spacing, slices kept."""
    made = np.load(path)
    axes, spacing = made.get("axes", np.eye(3)), made.get("spacing", np.full(3, 5.0))
    return Truth(made["hu"][made["keep"]], made["positions"][made["keep"]], axes[:, :2] * spacing[:2])


def of_slices(folder: Path) -> Truth:
    """A plain axial series, slice by slice."""
    slices = sorted(map(pydicom.dcmread, folder.iterdir()), key=lambda slice_: slice_.ImagePositionPatient[2])
    values = [slice_.pixel_array * float(slice_.RescaleSlope) + float(slice_.RescaleIntercept) for slice_ in slices]
    row_mm, column_mm = slices[0].PixelSpacing
    positions = np.array([slice_.ImagePositionPatient for slice_ in slices], dtype=float)
    return Truth(np.stack(values), positions, np.diag((column_mm, row_mm, 0))[:, :2])


def difference(image: sitk.Image, truth: Truth) -> str:
    """In words, how a read image differs from the truth at the truth's own places; empty if it does not.

    Air may be cut off: a tilted series that is set upright has no room for its corners.
    """
    voxel_mm = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    index = np.linalg.inv(voxel_mm) @ (truth.points_mm() - np.reshape(image.GetOrigin(), (3, 1)))
    inside = ((index > -0.5) & (index < np.reshape(image.GetSize(), (3, 1)) - 0.5)).all(axis=0)
    wanted = np.maximum(truth.values_zyx.ravel(), AIR_HU)
    if lost := np.count_nonzero(~inside & (wanted > AIR_HU)):
        return f"{lost / inside.size:.1%} of the voxels lie outside"
    is_same_grid = np.abs(index - index.round()).max() <= SAME_GRID_VOXELS
    voxels, order = sitk.GetArrayFromImage(image).astype(float), 0 if is_same_grid else 1
    read = np.where(inside, map_coordinates(voxels, index[::-1], order=order, mode="nearest"), AIR_HU)
    off_hu = np.abs(np.maximum(read, AIR_HU) - wanted)
    if (share := (off_hu > (ROUNDING_HU if is_same_grid else MOVED_HU)).mean()) == 0:
        return ""
    return f"{share:.1%} of the voxels are others, by up to {off_hu.max():.0f} HU"
