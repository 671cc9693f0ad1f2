"""Tiny scans of ellipsoids with their label maps, and predictions that get better from round to round."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import binary_dilation, binary_erosion

from noisy_student.images import write_image
from noisy_student.plan.preprocessing import LABELS, with_suffix, write_array, write_properties
from noisy_student.train.learned_from import learned_from

SIZE_XYZ, SPACING_MM_XYZ = (72, 60, 34), (5.0, 5.0, 8.0)
# Centre and radii (x, y, z) of each organ as shares of the grid: x to the patient's left, y to the back, z to the head.
ELLIPSOIDS = {
    1: (0.30, 0.42, 0.66, 0.17, 0.20, 0.19),
    2: (0.33, 0.66, 0.42, 0.055, 0.06, 0.15),
    3: (0.76, 0.58, 0.68, 0.08, 0.13, 0.13),
    4: (0.54, 0.46, 0.50, 0.12, 0.045, 0.06),
    5: (0.53, 0.63, 0.50, 0.028, 0.032, 0.42),
    6: (0.44, 0.60, 0.50, 0.032, 0.034, 0.40),
    7: (0.40, 0.57, 0.60, 0.018, 0.03, 0.05),
    8: (0.60, 0.57, 0.60, 0.018, 0.03, 0.05),
    9: (0.36, 0.30, 0.48, 0.045, 0.06, 0.07),
    10: (0.55, 0.53, 0.85, 0.025, 0.03, 0.12),
    11: (0.66, 0.34, 0.64, 0.11, 0.12, 0.12),
    12: (0.45, 0.44, 0.42, 0.05, 0.05, 0.07),
    13: (0.67, 0.66, 0.42, 0.055, 0.06, 0.15),
}


def write(image: Path, truth: Path, prediction: Path, round_number: int) -> None:
    """Write the prediction of a round, and scan and truth if they are not there yet."""
    random = np.random.default_rng(int(truth.name.split(".")[0][-4:]))
    shift = random.normal(0, 0.012, 3)
    labels = body(shift, 1.0)
    if not image.exists():
        scan = _hounsfield(labels) + random.normal(0, 25, labels.shape)
        write_image(as_image(scan.astype(np.int16)), image)
        write_image(as_image(labels), truth)
    wrong = np.random.default_rng(round_number).normal(0, 0.02 / (round_number + 1), 3)
    write_image(as_image(body(shift + wrong, 0.9 + 0.04 * round_number)), prediction)


# Of the scan, what the network's grid covers (z, y, x); of that it has every second row and column.
CROP_ZYX = ((2, 32), (6, 60), (0, 72))
IGNORE = 14


def write_learned(case: Path, names: dict[int, str], round_number: int) -> list[dict[str, object]]:
    """Write what a student learns from a scan, as its training set has it; the rows of what that is.

    Around the surfaces of organs, all is left out in four of eight slices and soft in the others.
    """
    random = np.random.default_rng([int(case.name[-4:]), round_number])
    labels = body(random.normal(0, 0.012, 3), 0.9 + 0.04 * round_number).astype(np.int16)
    labels = labels[tuple(slice(low, high) for low, high in CROP_ZYX)][:, ::2, ::2]
    organs, width = labels > 0, int(random.integers(1, 4))
    near = binary_dilation(organs, iterations=width) & ~binary_erosion(organs)
    unsure = near & (np.arange(len(labels)) % 8 < 4)[:, None, None]
    targets = np.stack([np.where(unsure, IGNORE, labels), labels, np.where(near, random.integers(50, 100), 99)])
    write_array(targets.astype(np.int16), with_suffix(case, LABELS), [16, 16, 16])
    write_properties({"bbox_used_for_cropping": CROP_ZYX}, case)
    return learned_from(labels, targets, IGNORE, {0: "background"} | names)


def as_image(array_zyx: np.ndarray) -> sitk.Image:
    """An image in LPS orientation."""
    image = sitk.GetImageFromArray(array_zyx)
    image.SetSpacing(SPACING_MM_XYZ)
    return image


def body(shift: np.ndarray, scale: float) -> np.ndarray:
    """Label map (z, y, x) of all organs, moved by shares of the grid (x, y, z)."""
    x, y, z = _grid()
    labels = np.zeros(x.shape, dtype=np.uint8)
    for label, (cx, cy, cz, rx, ry, rz) in ELLIPSOIDS.items():
        parts = ((x - cx - shift[0]) / rx, (y - cy - shift[1]) / ry, (z - cz - shift[2]) / rz)
        labels[sum((part / scale) ** 2 for part in parts) < 1] = label
    return labels


def _grid() -> tuple[np.ndarray, ...]:
    z, y, x = np.meshgrid(*(np.linspace(0, 1, size) for size in SIZE_XYZ[::-1]), indexing="ij")
    return x, y, z


def _hounsfield(labels: np.ndarray) -> np.ndarray:
    x, y, _ = _grid()
    scan = np.where(((x - 0.5) / 0.47) ** 2 + ((y - 0.5) / 0.45) ** 2 < 1, -90, -1000)
    scan = np.where(((x - 0.5) / 0.42) ** 2 + ((y - 0.5) / 0.38) ** 2 < 1, 15, scan)
    scan = np.where(((x - 0.5) / 0.05) ** 2 + ((y - 0.75) / 0.06) ** 2 < 1, 400, scan)
    return np.where(labels > 0, 60 + 12 * labels.astype(int), scan)
