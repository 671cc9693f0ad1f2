"""A label map of realistic size to time the evaluation on: 13 ellipsoids and tubes, a prediction a little off.

Run as a command it writes truth.nii.gz, clean.nii.gz and strays.nii.gz into a folder.
"""

import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

SIZE_XYZ = (512, 512, 100)
SPACING_MM_XYZ = (0.78, 0.78, 2.5)
# Centre and radii in mm (x, y, z). Ellipsoids of about FLARE22's median volumes; the vessels and the esophagus are
# long along z.
ORGANS_MM = {
    1: ((125, 170, 150), (85, 75, 62)),
    2: ((130, 245, 110), (30, 28, 55)),
    3: ((300, 220, 165), (30, 42, 40)),
    4: ((215, 175, 125), (60, 17, 20)),
    5: ((208, 232, 125), (11, 11, 120)),
    6: ((175, 222, 120), (13, 12, 115)),
    7: ((165, 235, 160), (6, 11, 14)),
    8: ((240, 235, 160), (7, 12, 15)),
    9: ((140, 115, 110), (17, 20, 20)),
    10: ((212, 212, 210), (9, 9, 38)),
    11: ((260, 140, 160), (45, 48, 36)),
    12: ((175, 180, 95), (33, 22, 25)),
    13: ((280, 250, 115), (30, 28, 55)),
}
# A stray voxel of each organ near the first corner of the volume and near the last.
STRAY_STEP_VOXELS = 2


def body(shift_mm: float, growth: float) -> np.ndarray:
    """The label map (z, y, x) with all organs shifted along x, y and z, and all radii scaled."""
    spacing_zyx, size_zyx = SPACING_MM_XYZ[::-1], SIZE_XYZ[::-1]
    label_map = np.zeros(size_zyx, np.uint8)
    for label, (centre, radii) in ORGANS_MM.items():
        middle, extent = np.add(centre[::-1], shift_mm), np.multiply(radii[::-1], growth)
        lower = np.maximum((middle - extent) // spacing_zyx, 0).astype(int)
        upper = np.minimum((middle + extent) // spacing_zyx + 2, size_zyx).astype(int)
        box = tuple(map(slice, lower, upper))
        places = np.ogrid[box]
        inside = sum(((i * s - m) / e) ** 2 for i, s, m, e in zip(places, spacing_zyx, middle, extent, strict=True)) < 1
        label_map[box][inside] = label
    return label_map


def with_strays(label_map: np.ndarray) -> np.ndarray:
    """A copy with two stray voxels of each organ, in opposite corners."""
    strayed = label_map.copy()
    for label in ORGANS_MM:
        strayed[0, 0, STRAY_STEP_VOXELS * label] = strayed[-1, -1, -1 - STRAY_STEP_VOXELS * label] = label
    return strayed


def write_all(folder: Path) -> None:
    """Write the truth and both predictions."""
    clean = body(shift_mm=1.0, growth=1.02)
    for name, array in (("truth", body(0.0, 1.0)), ("clean", clean), ("strays", with_strays(clean))):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(SPACING_MM_XYZ)
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
