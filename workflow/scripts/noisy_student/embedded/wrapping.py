"""A body around given organs: the tissue map for a real label map, for which there is no scan.

Arrays are (z, y, x) in LPS.
"""

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter

from noisy_student.embedded import standard_body as standard
from noisy_student.embedded.anatomy import torso_of
from noisy_student.embedded.grids import fine_axes
from noisy_student.embedded.shapes import Space
from noisy_student.embedded.surroundings import SUPERELLIPSE_POWER, Torso, surround
from noisy_student.embedded.tissues import Tissue
from noisy_student.errors import InputError
from noisy_student.geometry import reorient
from noisy_student.reading import door

AORTA_XY_MM = (7.0, 12.0)  # of the standard body, at the height of the kidneys
KIDNEYS = (Tissue.RIGHT_KIDNEY, Tissue.LEFT_KIDNEY)
UNDER_THE_DIAPHRAGM = (Tissue.LIVER, Tissue.SPLEEN, Tissue.STOMACH)
SCALES = (0.75, 1.35)
FITTED = 0.999  # share of organ voxels that the abdominal wall must enclose
FILLED = 0.97  # how much of the cavity's width the organs take


def read_label_map(path: Path) -> sitk.Image:
    """Read a label map that a body can be wrapped around; InputError if it lacks the kidneys or the aorta."""
    label_map = door.read_label_map(path).image
    found = np.unique(sitk.GetArrayViewFromImage(label_map)).tolist()
    if Tissue.AORTA not in found or not set(KIDNEYS) & set(found):
        raise InputError(
            f"a label map that shows a kidney (2, 13) and the aorta (5) at {path}",
            f"the labels {', '.join(map(str, found))}",
            "take it out of the folder",
        )
    return label_map


def wrap(
    rng: np.random.Generator, label_map: sitk.Image, fat_mm: float, spacing_mm_zyx: tuple[float, ...]
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """The fine axes in mm, from the standard body's origin, and the tissue map of a body around the organs."""
    upright = reorient(label_map, "LPS")
    organs, spacing_mm = sitk.GetArrayFromImage(upright), upright.GetSpacing()
    points_mm = np.argwhere(organs > 0)[:, ::-1] * spacing_mm
    origin_mm = _origin(organs, spacing_mm)
    torso = torso_of(fat_mm)
    scale_x, scale_y = _scales(points_mm - origin_mm, torso)
    axes = fine_axes(_ends(torso, (scale_x, scale_y), organs.shape[0] * spacing_mm[2], origin_mm[2]), spacing_mm_zyx)
    sampled = _sample(organs, spacing_mm, [axis + start for axis, start in zip(axes, origin_mm[::-1], strict=True)])
    scales_zyx = (1, scale_y, scale_x)
    standard_axes = tuple((axis / scale).astype(np.float32) for axis, scale in zip(axes, scales_zyx, strict=True))
    space = Space(standard_axes, np.zeros((3, *sampled.shape), np.float32))
    return axes, surround(rng, space, torso, sampled, _dome(space, sampled))


def _origin(organs: np.ndarray, spacing_mm: tuple[float, ...]) -> np.ndarray:
    """Where the standard body's origin lies in the label map, in mm (x, y, z) from its first voxel."""
    kidneys, aorta = np.argwhere(np.isin(organs, KIDNEYS)), np.argwhere(organs == Tissue.AORTA)
    height = kidneys[:, 0].mean()
    beside = aorta[np.abs(aorta[:, 0] - height) <= np.abs(aorta[:, 0] - height).min() + 2]
    _, y, x = beside.mean(axis=0)
    return np.array([x, y, height]) * spacing_mm - (*AORTA_XY_MM, 0)


def _scales(points_mm: np.ndarray, torso: Torso) -> tuple[float, float]:
    """How much wider and deeper than the standard body a patient with organs at these points (n, 3; x, y, z) is."""
    across, deep = np.abs(points_mm[:, 0]), np.abs(points_mm[:, 1] - torso.centre_y_mm)
    wider = np.quantile(across, FITTED) / (FILLED * torso.half_width_mm)
    room = 1 - np.minimum(across / wider / torso.half_width_mm, 0.9) ** SUPERELLIPSE_POWER
    deeper = np.quantile(deep / room ** (1 / SUPERELLIPSE_POWER), FITTED) / torso.half_depth_mm
    return float(np.clip(wider, *SCALES)), float(np.clip(deeper, *SCALES))


def _ends(
    torso: Torso, scales_xy: tuple[float, float], height_mm: float, origin_z_mm: float
) -> tuple[tuple[float, float], ...]:
    outline = zip(torso.outline_mm(), scales_xy, strict=True)
    along_x, along_y = ((low * scale, high * scale) for (low, high), scale in outline)
    return (-origin_z_mm, height_mm - origin_z_mm), along_y, along_x


def _sample(organs: np.ndarray, spacing_mm: tuple[float, ...], axes_mm: list[np.ndarray]) -> np.ndarray:
    """The label of the voxel nearest to each point of the axes (z, y, x; mm from the first voxel); 0 outside."""
    indices = [np.rint(axis / step).astype(int) for axis, step in zip(axes_mm, spacing_mm[::-1], strict=True)]
    clipped = [index.clip(0, size - 1) for index, size in zip(indices, organs.shape, strict=True)]
    z, y, x = (index == kept for index, kept in zip(indices, clipped, strict=True))
    inside = z[:, None, None] & y[:, None] & x
    return np.where(inside, organs[np.ix_(*clipped)], 0).astype(np.uint8)


def _dome(space: Space, organs: np.ndarray) -> np.ndarray:
    """The diaphragm's height in the standard body's mm, (1, y, x): just above the organs, elsewhere as usual."""
    x, y, z = space.straight()
    present = np.isin(organs, UNDER_THE_DIAPHRAGM)
    top = np.where(present, z, -np.inf).max(axis=0, keepdims=True) + 4
    usual = np.minimum(standard.dome_mm(x, y), top.max())
    height = np.where(np.isfinite(top), top, usual)
    return np.maximum(gaussian_filter(height, (0, 3, 3)), np.where(np.isfinite(top), top, -np.inf)).astype(np.float32)
