"""What a voxel of an embedded scan consists of: finer than the label table, so that organs have an inside."""

from enum import IntEnum

import numpy as np


class Tissue(IntEnum):
    """Tissues 1 to 13 are the organs of the label table; those from 14 on are parts of organs or no organ."""

    AIR = 0
    LIVER = 1
    RIGHT_KIDNEY = 2
    SPLEEN = 3
    PANCREAS = 4
    AORTA = 5
    IVC = 6
    RIGHT_ADRENAL = 7
    LEFT_ADRENAL = 8
    GALLBLADDER = 9
    ESOPHAGUS = 10
    STOMACH = 11
    DUODENUM = 12
    LEFT_KIDNEY = 13
    LIVER_VESSEL = 14
    RIGHT_MEDULLA = 15
    LEFT_MEDULLA = 16
    STOMACH_FLUID = 17
    STOMACH_GAS = 18
    DUODENUM_FLUID = 19
    FAT = 20
    SKIN = 21
    MUSCLE = 22
    BONE = 23
    MARROW = 24
    DISC = 25
    LUNG = 26
    HEART = 27
    BOWEL = 28
    BOWEL_CONTENT = 29
    BOWEL_GAS = 30
    ESOPHAGUS_GAS = 31
    MESENTERY = 32


_PARTS = {
    Tissue.LIVER_VESSEL: Tissue.LIVER,
    Tissue.RIGHT_MEDULLA: Tissue.RIGHT_KIDNEY,
    Tissue.LEFT_MEDULLA: Tissue.LEFT_KIDNEY,
    Tissue.STOMACH_FLUID: Tissue.STOMACH,
    Tissue.STOMACH_GAS: Tissue.STOMACH,
    Tissue.DUODENUM_FLUID: Tissue.DUODENUM,
    Tissue.ESOPHAGUS_GAS: Tissue.ESOPHAGUS,
}
_LABEL_OF = np.array([tissue if 1 <= tissue <= 13 else _PARTS.get(tissue, 0) for tissue in Tissue], np.uint8)


def labels_of(tissues: np.ndarray) -> np.ndarray:
    """The label map (uint8) that a tissue map stands for."""
    return _LABEL_OF[tissues]
