"""Small CT series, plain and odd, with organs drawn on their slices as acquired, and where these belong on the scan."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk

from dicom_series import UPRIGHT
from noisy_student.reading.door import read_scan
from noisy_student.reading.volume import Volume
from segmentation_files import write_ct

# Frames of so many bits begin within a byte.
SIZE_ZYX, SPACING_MM_XYZ = (14, 33, 35), (2.0, 1.5, 3.0)
# Label → name, centre and radii (column, row, slice) as shares of the series.
ORGANS = {
    3: ("spleen", (0.70, 0.55, 0.60), (0.18, 0.25, 0.30)),
    1: ("liver", (0.32, 0.45, 0.50), (0.26, 0.32, 0.32)),
    4: ("pancreas", (0.55, 0.25, 0.30), (0.12, 0.10, 0.10)),
}
NAMES = {label: name for label, (name, _, _) in ORGANS.items()}
KINDS = {
    "straight": {},
    "tilted": {"tilt_mm": 0.66},
    "sparse": {"spacing_mm_xyz": (2.0, 1.5, 9.0)},
    "uneven": {"heights_mm": np.cumsum([0, *[5.0] * 6, *[2.5] * 7])},
    "coronal": {"axes": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))},
    "oblique": {"axes": ((0.8, 0.6, 0.0), (-0.6, 0.8, 0.0))},
}


def rank(name: str) -> int | None:
    """The label that a name means."""
    return next((label for label, own in NAMES.items() if own == name), None)


def body(size_zyx: Sequence[int] = SIZE_ZYX) -> np.ndarray:
    """Ellipsoids (z, y, x), none over another."""
    z, y, x = (np.arange(size).reshape([-1 if axis == other else 1 for other in range(3)]) / size
               for axis, size in enumerate(size_zyx))  # fmt: skip
    labels = np.zeros(tuple(size_zyx), np.uint8)
    for label, (_, centre, radii) in ORGANS.items():
        (a, b, c), (p, q, r) = centre, radii
        labels[(((x - a) / p) ** 2 + ((y - b) / q) ** 2 + ((z - c) / r) ** 2 < 1) & (labels == 0)] = label
    return labels


@dataclass
class Series:
    """A CT in `folder`, its files from the first slice to the last, and the organs (z, y, x) on these slices."""

    folder: Path
    files: list[Path]
    labels: np.ndarray

    @cached_property
    def scan(self) -> Volume:
        """The CT as it is read."""
        return read_scan(self.folder)

    def expected(self, scan: Volume | None = None) -> np.ndarray:
        """The label of the pixel that is nearest to each voxel of the scan's grid (z, y, x), slice by slice."""
        image = (scan or self.scan).image
        headers = [pydicom.dcmread(file, stop_before_pixels=True) for file in self.files]
        axes = np.reshape(np.array(headers[0].ImageOrientationPatient, float), (2, 3))
        positions = np.array([header.ImagePositionPatient for header in headers], float)
        index = np.stack(np.meshgrid(*map(np.arange, image.GetSize()), indexing="ij"), axis=-1).reshape(-1, 3)
        steps = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
        points = index @ steps.T + image.GetOrigin()
        heights, normal = positions @ np.cross(*axes), np.cross(*axes)
        slices = np.floor(np.interp(points @ normal, heights, np.arange(len(heights))) + 0.5).astype(int)
        rows_mm, columns_mm = map(float, headers[0].PixelSpacing)
        pixels = np.rint(((points - positions[slices]) @ axes.T) / [columns_mm, rows_mm]).astype(int)
        is_inside = ((pixels >= 0) & (pixels < self.labels.shape[:0:-1])).all(axis=1)
        found = np.zeros(len(points), np.uint8)
        found[is_inside] = self.labels[slices[is_inside], pixels[is_inside, 1], pixels[is_inside, 0]]
        return found.reshape(image.GetSize()).transpose(2, 1, 0)


def make_series(folder: Path, kind: str) -> Series:
    """A series of one of the kinds."""
    labels = body()
    places = {"spacing_mm_xyz": SPACING_MM_XYZ, "axes": UPRIGHT} | KINDS[kind]
    return Series(folder, write_ct(folder, np.where(labels > 0, 60, -1000), **places), labels)


def array_of(volume: Volume) -> np.ndarray:
    """The voxels (z, y, x)."""
    return sitk.GetArrayFromImage(volume.image)


def dsc(first: np.ndarray, second: np.ndarray) -> float:
    """Dice similarity coefficient, the lowest over the labels of either."""
    labels = set(np.unique(first)) | set(np.unique(second))
    scores = [
        2 * np.count_nonzero((first == label) & (second == label))
        / (np.count_nonzero(first == label) + np.count_nonzero(second == label))
        for label in labels - {0}
    ]  # fmt: skip
    return min(scores, default=1.0)
