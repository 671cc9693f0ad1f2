"""The inside of organs: kidney medulla, liver vessels, stomach contents. Works on any map of whole organs."""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import distance_transform_edt, find_objects

from noisy_student.shapes import smooth_noise, strands
from noisy_student.tissues import Tissue

CORTEX_MM = 6.0
WALL_MM = 4.0
VESSEL_SCALE_MM = 24.0
VESSEL_WIDTH = 0.24

Fill = Callable[[np.ndarray, np.ndarray, tuple[slice, ...]], np.ndarray]


def fill_organs(
    rng: np.random.Generator, tissues: np.ndarray, axes_mm_zyx: tuple[np.ndarray, ...], oral_contrast: bool
) -> np.ndarray:
    """A copy of a tissue map (z, y, x; in LPS) whose organs have an inside; no organ's outline changes.

    `oral_contrast` fills the stomach further, as drinking before the scan does.
    """
    spacing_mm_zyx = [float(axis[1] - axis[0]) for axis in axes_mm_zyx]
    boxes = find_objects(tissues, max_label=13)
    filled = tissues.copy()

    def depth(organ: Tissue) -> tuple[tuple[slice, ...], np.ndarray]:
        """The organ's box and, in it, the distance in mm of its voxels to its surface."""
        box = tuple(slice(max(0, part.start - 1), part.stop + 1) for part in boxes[organ - 1])
        return box, distance_transform_edt(tissues[box] == organ, spacing_mm_zyx)

    present = [organ for organ in Tissue if 1 <= organ <= 13 and boxes[organ - 1] is not None]
    for organ, medulla in ((Tissue.RIGHT_KIDNEY, Tissue.RIGHT_MEDULLA), (Tissue.LEFT_KIDNEY, Tissue.LEFT_MEDULLA)):
        if organ in present:
            box, inside_mm = depth(organ)
            columns = 2.5 * smooth_noise(rng, _cut(axes_mm_zyx, box), 9.0)
            filled[box][inside_mm > CORTEX_MM + columns.clip(-3, None)] = medulla
    if Tissue.LIVER in present:
        box = boxes[Tissue.LIVER - 1]
        vessels = strands(rng, _cut(axes_mm_zyx, box), VESSEL_SCALE_MM, VESSEL_WIDTH)
        filled[box][vessels & (tissues[box] == Tissue.LIVER)] = Tissue.LIVER_VESSEL
    if Tissue.STOMACH in present:
        box, inside_mm = depth(Tissue.STOMACH)
        _fill_stomach(filled[box], inside_mm, axes_mm_zyx[1][box[1]], rng.uniform(0.15, 0.3 if oral_contrast else 0.5))
    if Tissue.DUODENUM in present:
        box, inside_mm = depth(Tissue.DUODENUM)
        folds = smooth_noise(rng, _cut(axes_mm_zyx, box), 14.0)
        filled[box][inside_mm > WALL_MM + 1.5 * folds.clip(-0.5, None)] = Tissue.DUODENUM_FLUID
    if Tissue.ESOPHAGUS in present:
        box, inside_mm = depth(Tissue.ESOPHAGUS)
        filled[box][inside_mm > 7 + rng.uniform(0, 5)] = Tissue.ESOPHAGUS_GAS
    return filled


def _cut(axes_mm_zyx: tuple[np.ndarray, ...], box: tuple[slice, ...]) -> tuple[np.ndarray, ...]:
    return tuple(axis[part] for axis, part in zip(axes_mm_zyx, box, strict=True))


def _fill_stomach(filled: np.ndarray, inside_mm: np.ndarray, y_mm: np.ndarray, gas_share: float) -> None:
    """Gas floats to the front of a patient who lies on the back."""
    lumen = inside_mm > WALL_MM
    filled[lumen] = Tissue.STOMACH_FLUID
    if lumen.any():
        level_mm = np.quantile(np.broadcast_to(y_mm[None, :, None], lumen.shape)[lumen], gas_share)
        filled[lumen & (y_mm[None, :, None] < level_mm)] = Tissue.STOMACH_GAS
