"""From tissues to Hounsfield units, and from the perfect scan to the scanned one: phase, texture, blur, noise."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from noisy_student.embedded.shapes import smooth_noise
from noisy_student.embedded.tissues import Tissue
from noisy_student.embedded.variation import Variation

AIR_HU = -1000
NOISE_GRAIN_VOXELS = 0.6  # the reconstruction kernel smooths the noise within a slice

# Typical values without contrast, and in the arterial, portal venous and late phase.
PHASES_HU: dict[Tissue, tuple[float, float, float, float]] = {
    Tissue.AIR: (-1000, -1000, -1000, -1000),
    Tissue.LIVER: (56, 70, 110, 92),
    Tissue.RIGHT_KIDNEY: (32, 165, 190, 165),
    Tissue.SPLEEN: (47, 115, 125, 100),
    Tissue.PANCREAS: (40, 112, 102, 80),
    Tissue.AORTA: (42, 310, 155, 118),
    Tissue.IVC: (40, 70, 140, 118),
    Tissue.RIGHT_ADRENAL: (26, 100, 108, 72),
    Tissue.LEFT_ADRENAL: (26, 100, 108, 72),
    Tissue.GALLBLADDER: (10, 10, 10, 12),
    Tissue.ESOPHAGUS: (40, 66, 80, 66),
    Tissue.STOMACH: (40, 75, 80, 65),
    Tissue.DUODENUM: (40, 80, 84, 68),
    Tissue.LEFT_KIDNEY: (32, 165, 190, 165),
    Tissue.LIVER_VESSEL: (42, 85, 165, 118),
    Tissue.RIGHT_MEDULLA: (28, 75, 165, 180),
    Tissue.LEFT_MEDULLA: (28, 75, 165, 180),
    Tissue.STOMACH_FLUID: (22, 22, 22, 22),
    Tissue.STOMACH_GAS: (-900, -900, -900, -900),
    Tissue.DUODENUM_FLUID: (28, 32, 34, 32),
    Tissue.FAT: (-104, -104, -102, -102),
    Tissue.SKIN: (0, 5, 10, 8),
    Tissue.MUSCLE: (52, 56, 62, 62),
    Tissue.BONE: (420, 420, 430, 430),
    Tissue.MARROW: (170, 172, 180, 178),
    Tissue.DISC: (72, 72, 76, 76),
    Tissue.LUNG: (-840, -835, -830, -830),
    Tissue.HEART: (42, 260, 155, 118),
    Tissue.BOWEL: (38, 72, 84, 68),
    Tissue.BOWEL_CONTENT: (18, 18, 20, 20),
    Tissue.BOWEL_GAS: (-880, -880, -880, -880),
    Tissue.ESOPHAGUS_GAS: (-400, -400, -400, -400),
    Tissue.MESENTERY: (20, 80, 100, 70),
}
_TABLE_HU = np.array([PHASES_HU[tissue] for tissue in Tissue], np.float32)
_FILLED_BY_DRINKING = [Tissue.STOMACH_FLUID, Tissue.DUODENUM_FLUID, Tissue.BOWEL_CONTENT]
_FIXED = [Tissue.AIR, Tissue.STOMACH_GAS, Tissue.BOWEL_GAS]

# Standard deviation in HU of what varies within a tissue; 4 for those not named.
_TEXTURE_HU = {Tissue.LUNG: 30, Tissue.MARROW: 35, Tissue.BONE: 60, Tissue.BOWEL_CONTENT: 30, Tissue.PANCREAS: 9,
               Tissue.MUSCLE: 9, Tissue.FAT: 6, Tissue.STOMACH_FLUID: 8, Tissue.AIR: 0}  # fmt: skip
_TEXTURES = np.array([_TEXTURE_HU.get(tissue, 4) for tissue in Tissue], np.float32)


@dataclass(frozen=True)
class Acquisition:
    """How one scan is taken: contrast phase (0 none, 1 arterial, 2 portal venous, 3 late), kernel and dose."""

    phase: float
    noise_hu: float
    blur_mm: float
    oral_contrast_hu: float  # 0: none


def draw_acquisition(rng: np.random.Generator, variation: Variation) -> Acquisition:
    """A random acquisition. Every value takes its turn in the generator, whatever the others are."""
    phase, noise_hu, blur_mm = (rng.uniform(*span) for span in (variation.phase, variation.noise_hu, variation.blur_mm))
    drinks, contrast_hu = rng.uniform() < variation.oral_contrast, rng.uniform(120, 280)
    return Acquisition(phase, noise_hu, blur_mm, contrast_hu if drinks else 0)


def tissue_values(rng: np.random.Generator, acquisition: Acquisition, tissue_sd_hu: float) -> np.ndarray:
    """One value in HU per `Tissue`, for one patient in one phase."""
    phases = np.arange(_TABLE_HU.shape[1])
    values = np.array([np.interp(acquisition.phase, phases, row) for row in _TABLE_HU])
    deviation = tissue_sd_hu * rng.standard_normal(len(values)).clip(-2, 2)
    deviation[_FIXED] = 0
    for part, whole in ((Tissue.LEFT_KIDNEY, Tissue.RIGHT_KIDNEY), (Tissue.LEFT_MEDULLA, Tissue.RIGHT_MEDULLA)):
        deviation[part] = deviation[whole]
    values += deviation
    values[_FILLED_BY_DRINKING] += acquisition.oral_contrast_hu
    return values.astype(np.float32)


def paint(
    rng: np.random.Generator, tissues: np.ndarray, axes_mm_zyx: tuple[np.ndarray, ...], values_hu: np.ndarray
) -> np.ndarray:
    """The perfect scan: each voxel its tissue's value and texture, in HU (float32, z, y, x)."""
    texture = 0.6 * smooth_noise(rng, axes_mm_zyx, 7.0) + 0.4 * smooth_noise(rng, axes_mm_zyx, 28.0)
    return values_hu[tissues] + _TEXTURES[tissues] * texture


def scan(
    rng: np.random.Generator, perfect_hu: np.ndarray, spacing_mm_zyx: tuple[float, ...], acquisition: Acquisition
) -> np.ndarray:
    """What the scanner makes of it: blurred in all directions, with correlated noise; HU as int16, (z, y, x)."""
    blurred = gaussian_filter(perfect_hu, [acquisition.blur_mm / spacing for spacing in spacing_mm_zyx], truncate=3)
    grain = gaussian_filter(
        rng.standard_normal(perfect_hu.shape, np.float32), (0, NOISE_GRAIN_VOXELS, NOISE_GRAIN_VOXELS), truncate=3
    )
    noisy = blurred + acquisition.noise_hu / grain.std() * grain
    return np.rint(noisy.clip(AIR_HU - 24, 3071)).astype(np.int16)
