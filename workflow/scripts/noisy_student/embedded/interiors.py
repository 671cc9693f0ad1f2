"""The inside of organs: kidney medulla, liver vessels, stomach contents. Works on any map of whole organs."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, find_objects

from noisy_student.embedded.shapes import smooth_noise, strands
from noisy_student.embedded.tissues import Tissue
from noisy_student.organs import FLARE22

CORTEX_MM = 6.0
WALL_MM = 4.0
COLUMN_SCALE_MM = 9.0
FOLD_SCALE_MM = 14.0
VESSEL_SCALE_MM = 24.0
VESSEL_WIDTH = 0.24


@dataclass(frozen=True)
class Inside:
    """One organ's part of a scan: its box of the filled map (a view), its mask and the axes in mm, all (z, y, x)."""

    filled: np.ndarray
    organ: np.ndarray
    axes_mm_zyx: tuple[np.ndarray, ...]

    def depth_mm(self) -> np.ndarray:
        """How far the organ's voxels lie from its surface; 0 outside."""
        return distance_transform_edt(self.organ, [axis[1] - axis[0] for axis in self.axes_mm_zyx])

    def noise(self, rng: np.random.Generator, scale_mm: float) -> np.ndarray:
        """A smooth random field over the box."""
        return smooth_noise(rng, self.axes_mm_zyx, scale_mm)


def fill_organs(
    rng: np.random.Generator, tissues: np.ndarray, axes_mm_zyx: tuple[np.ndarray, ...], oral_contrast: bool
) -> np.ndarray:
    """A copy of a tissue map (z, y, x; in LPS) whose organs have an inside; no organ's outline changes.

    `oral_contrast` leaves the stomach less gas, as drinking before the scan does.
    """
    filled = tissues.copy()
    boxes = find_objects(tissues, max_label=len(FLARE22))
    fillers = {
        Tissue.RIGHT_KIDNEY: lambda inside: _fill_kidney(rng, inside, Tissue.RIGHT_MEDULLA),
        Tissue.LEFT_KIDNEY: lambda inside: _fill_kidney(rng, inside, Tissue.LEFT_MEDULLA),
        Tissue.LIVER: lambda inside: _fill_liver(rng, inside),
        Tissue.STOMACH: lambda inside: _fill_stomach(inside, rng.uniform(0.15, 0.3 if oral_contrast else 0.5)),
        Tissue.DUODENUM: lambda inside: _fill_duodenum(rng, inside),
        Tissue.ESOPHAGUS: lambda inside: _fill_esophagus(rng, inside),
    }
    for organ, fill in fillers.items():
        if (box := boxes[organ - 1]) is not None:
            box = tuple(slice(max(0, part.start - 1), part.stop + 1) for part in box)
            axes = tuple(axis[part] for axis, part in zip(axes_mm_zyx, box, strict=True))
            fill(Inside(filled[box], tissues[box] == organ, axes))
    return filled


def _fill_kidney(rng: np.random.Generator, inside: Inside, medulla: Tissue) -> None:
    columns = 2.5 * inside.noise(rng, COLUMN_SCALE_MM)
    inside.filled[inside.depth_mm() > CORTEX_MM + columns.clip(-3, None)] = medulla


def _fill_liver(rng: np.random.Generator, inside: Inside) -> None:
    vessels = strands(rng, inside.axes_mm_zyx, VESSEL_SCALE_MM, VESSEL_WIDTH)
    inside.filled[vessels & inside.organ] = Tissue.LIVER_VESSEL


def _fill_duodenum(rng: np.random.Generator, inside: Inside) -> None:
    folds = inside.noise(rng, FOLD_SCALE_MM)
    inside.filled[inside.depth_mm() > WALL_MM + 1.5 * folds.clip(-0.5, None)] = Tissue.DUODENUM_FLUID


def _fill_esophagus(rng: np.random.Generator, inside: Inside) -> None:
    """Mostly collapsed: gas in the middle of some."""
    inside.filled[inside.depth_mm() > 7 + rng.uniform(0, 5)] = Tissue.ESOPHAGUS_GAS


def _fill_stomach(inside: Inside, gas_share: float) -> None:
    """Gas floats to the front of a patient who lies on the back."""
    lumen = inside.depth_mm() > WALL_MM
    inside.filled[lumen] = Tissue.STOMACH_FLUID
    y_mm = np.broadcast_to(inside.axes_mm_zyx[1][:, None], lumen.shape)
    if lumen.any():
        inside.filled[lumen & (y_mm < np.quantile(y_mm[lumen], gas_share))] = Tissue.STOMACH_GAS
