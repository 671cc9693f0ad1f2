"""A label map brought back onto the slices of its DICOM scan as they are stored.

Where the reader made a scan upright and even, its label map lies on that grid. Each stored slice gets the labels of the
voxels nearest to its own pixels, at its own position.
"""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.errors import InputError
from noisy_student.geometry import Geometry, turned_like
from noisy_student.reading.dicom.files import dicom_files
from noisy_student.reading.dicom.headers import read_headers
from noisy_student.reading.dicom.series import kept_locale
from noisy_student.reading.dicom.slice import Slice
from noisy_student.reading.dicom.stack import Stack, stack

# How far a slice may lie outside the grid, in voxels, where that was laid through slices of several distances.
OUTSIDE = 1


@kept_locale()
def stored_slices(scan: Path) -> Stack:
    """The slices of a scan, a folder or one file of many frames, in order and each once."""
    files = dicom_files(scan) if scan.is_dir() else [scan]
    return stack(scan, [slice_ for path in files for slice_ in read_headers(path)])[0]


def on_slices(label_map: sitk.Image, slices: Stack) -> np.ndarray:
    """The labels (slice, row, column) at each slice's own place.

    Raises InputError where slices lie outside the label map, which then is none of this scan.
    """
    along = Geometry((1, 1, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), tuple(slices.axes.T.ravel().tolist()))
    turned = turned_like(label_map, along)
    voxels_zyx, grid = sitk.GetArrayViewFromImage(turned), Geometry.of(turned)
    columns, rows = slices.slices[0].size_xy
    labels = np.empty((len(slices.slices), rows, columns), voxels_zyx.dtype)
    for target, slice_ in zip(labels, slices.slices, strict=True):
        x, y, z = _nearest(slice_, slices.axes, grid)
        target[:] = voxels_zyx[z[0]][np.ix_(y, x)]
    return labels


def _nearest(slice_: Slice, axes: np.ndarray, grid: Geometry) -> list[np.ndarray]:
    """The indices of the grid's voxels nearest to a slice's columns, to its rows, and to the slice itself."""
    start_mm = axes @ (slice_.position_mm - grid.origin_mm_xyz)
    pixel_mm = (*slice_.spacing_mm_xy, 0.0)
    found = []
    for axis, count in enumerate((*slice_.size_xy, 1)):
        places = np.rint((start_mm[axis] + np.arange(count) * pixel_mm[axis]) / grid.spacing_mm_xyz[axis]).astype(int)
        last = grid.size_xyz[axis] - 1
        if places[0] < -OUTSIDE or places[-1] > last + OUTSIDE:
            raise InputError(
                f"a label map that covers all slices of {slice_.path.parent}", f"{slice_.name} outside of it",
                "make the label map again from this very scan",
            )  # fmt: skip
        found.append(places.clip(0, last))
    return found
