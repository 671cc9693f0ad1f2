"""Everything around the organs: skin, fat, muscle wall, spine, ribs, lungs, heart, bowel."""

from dataclasses import dataclass

import numpy as np

from noisy_student.embedded import standard_body as standard
from noisy_student.embedded.shapes import Space, Tube, smooth_noise, strands
from noisy_student.embedded.tissues import Tissue

SKIN_MM = 2.5
MARGIN_MM = 5.0
SUPERELLIPSE_POWER = 2.35
VERTEBRA_MM = 34.0
DISC_MM = 9.0
RIB_PERIOD_MM = 31.0
RIB_MM = 11.0
MESENTERY_SCALE_MM = 17.0
MESENTERY_WIDTH = 0.2
MEDIASTINUM_HALF_WIDTH_MM = 24.0


@dataclass(frozen=True)
class Torso:
    """The trunk's outline in mm: the cavity's superellipse, the muscle wall's and the fat's thickness."""

    centre_y_mm: float
    half_width_mm: float
    half_depth_mm: float
    wall_mm: float
    fat_mm: float

    def cavity(self, space: Space) -> np.ndarray:
        """Distance to the inside of the abdominal wall in mm, (z, y, x); negative inside."""
        x, y, z = space.straight()
        length = np.sqrt(x**2 + (y - self.centre_y_mm) ** 2)
        return (length * (1 - 1 / np.maximum(self.radius(x, y, z), 1e-3))).astype(np.float32)

    def radius(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """How far out points lie: 0 in the middle of the cavity, 1 on its superellipse, narrower at the waist."""
        waist = 1 - 0.05 * np.exp(-(((z + 50) / 60) ** 2))
        across, deep = np.abs(x) / self.half_width_mm / waist, np.abs(y - self.centre_y_mm) / self.half_depth_mm
        return (across**SUPERELLIPSE_POWER + deep**SUPERELLIPSE_POWER) ** (1 / SUPERELLIPSE_POWER)

    def skin_mm(self, space: Space) -> np.ndarray:
        """How far outside the cavity the skin lies, (1, y, x): most fat lies on the flanks and the back."""
        x, y, _ = space.straight()
        return self._skin_mm(np.arctan2(y - self.centre_y_mm, x))

    def _skin_mm(self, angle: np.ndarray) -> np.ndarray:
        return self.wall_mm + self.fat_mm * (1 + 0.25 * np.cos(2 * angle) + 0.15 * np.sin(angle))

    def outline_mm(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The ends of the body along x and along y, and `MARGIN_MM` of air."""
        left, back, right, front = (float(self._skin_mm(angle)) + MARGIN_MM for angle in np.arange(4) * np.pi / 2)
        x, y, middle = self.half_width_mm, self.half_depth_mm, self.centre_y_mm
        return (-x - right, x + left), (middle - y - front, middle + y + back)

    def spine(self, space: Space) -> np.ndarray:
        """Where vertebral bodies, discs and the canal are, (z, y, x)."""
        x, y, z = space.straight()
        return _body_of_vertebra(x, y - spine_y_mm(z)) < 1


def spine_y_mm(z: np.ndarray) -> np.ndarray:
    """The middle of the vertebral bodies: the lumbar spine curves forward."""
    return 42 + 10 * np.clip(z / 130, -0.5, 1.2)


def _body_of_vertebra(x: np.ndarray, behind: np.ndarray) -> np.ndarray:
    return (x / 23) ** 2 + (behind / 17) ** 2


def surround(
    rng: np.random.Generator, space: Space, torso: Torso, organs: np.ndarray, dome_mm: np.ndarray
) -> np.ndarray:
    """Fill everything but the organs: `Tissue` values (uint8), (z, y, x)."""
    cavity = torso.cavity(space)
    skin = torso.skin_mm(space)
    tissues = np.full(space.shape, Tissue.FAT, np.uint8)
    tissues[cavity > skin - SKIN_MM] = Tissue.SKIN
    tissues[cavity > skin] = Tissue.AIR
    _place_wall(space, tissues, cavity, torso.wall_mm)
    _place_bowel(rng, space, tissues, cavity, dome_mm)
    _place_chest(space, tissues, cavity, dome_mm)
    _place_back_muscles(space, tissues)
    _place_spine(space, tissues, rng.uniform(0, VERTEBRA_MM))
    return np.where(organs > 0, organs, tissues)


def _place_wall(space: Space, tissues: np.ndarray, cavity: np.ndarray, wall_mm: float) -> None:
    x, y, z = space.straight()
    front = (y < standard.CAVITY_CENTRE_Y_MM) & (np.abs(x) < 75)
    thickness = np.where(front, wall_mm * 0.8, wall_mm)
    wall = (cavity > 0) & (cavity < thickness)
    linea_alba = (np.abs(x) < 5) & (y < 0) & (z < 60)
    tissues[wall & ~linea_alba] = Tissue.MUSCLE
    chest = z > 5 + 0.7 * np.maximum(0, -y) - 0.35 * np.maximum(0, y)
    along = np.mod(z - 0.55 * y, RIB_PERIOD_MM)
    middle = (cavity > 0.2 * wall_mm) & (cavity < 0.85 * wall_mm)
    tissues[middle & chest & (along < RIB_MM)] = Tissue.BONE
    tissues[middle & (np.abs(x) < 16) & (y < 0) & (z > 75)] = Tissue.MARROW


def _place_chest(space: Space, tissues: np.ndarray, cavity: np.ndarray, dome_mm: np.ndarray) -> None:
    x, y, z = space.straight()
    chest = (cavity < -1) & (z > dome_mm + 1.5)
    mediastinum = np.abs(x) < MEDIASTINUM_HALF_WIDTH_MM - 0.1 * (y + 40)
    tissues[chest] = np.where(mediastinum, Tissue.FAT, Tissue.LUNG)[0][None].repeat(len(tissues), 0)[chest]
    diaphragm = (cavity < 0) & (np.abs(z - dome_mm) < 1.5)
    tissues[diaphragm] = Tissue.MUSCLE
    heart = standard.HEART.field(space)
    tissues[chest & (heart < 7)] = Tissue.FAT
    tissues[chest & (heart < 0)] = Tissue.HEART


def _place_back_muscles(space: Space, tissues: np.ndarray) -> None:
    x, y, z = space.straight()
    behind = y - spine_y_mm(z)
    erector = ((np.abs(x) - 33) / 30) ** 2 + ((behind - 40) / 21) ** 2 < 1
    quadratus = (((np.abs(x) - 62) / 22) ** 2 + ((behind - 32) / 9) ** 2 < 1) & (z < 5)
    widening = np.clip((25 - z) / 110, 0, 1)
    psoas = ((np.abs(x) - 27 - 14 * widening) / (6 + 15 * widening)) ** 2 + (behind / (8 + 16 * widening)) ** 2 < 1
    body = tissues != Tissue.AIR
    tissues[body & (erector | quadratus | (psoas & (z < 25)))] = Tissue.MUSCLE
    crus = (_body_of_vertebra(x, behind) < 1.5) & (np.abs(x) < 20) & (behind < 0) & (z > 15)
    tissues[body & crus] = Tissue.MUSCLE


def _place_spine(space: Space, tissues: np.ndarray, start_mm: float) -> None:
    x, y, z = space.straight()
    behind = y - spine_y_mm(z)
    along = np.mod(z - start_mm, VERTEBRA_MM)
    waist = 1 + 0.12 * np.cos(2 * np.pi * (along - DISC_MM / 2) / VERTEBRA_MM)
    radius = _body_of_vertebra(x, behind) / waist**2
    disc = along < DISC_MM
    tissues[radius < 1] = Tissue.MARROW
    tissues[(radius > 0.8) & (radius < 1)] = Tissue.BONE
    tissues[(radius < 1) & disc] = Tissue.DISC
    ring = (x / 15) ** 2 + ((behind - 25) / 13) ** 2
    tissues[(ring < 1) & (behind > 15)] = Tissue.BONE
    pedicle = (along > 18) & (along < 30)
    transverse = (np.abs(x) < 40) & (np.abs(behind - 26 - 0.12 * np.abs(x)) < 4.5) & pedicle
    spinous = (np.abs(x) < 4.5) & (behind > 34) & (behind < 58) & (along > 6) & (along < 28)
    tissues[transverse | spinous] = Tissue.BONE
    tissues[(x / 10) ** 2 + ((behind - 25) / 8) ** 2 < 1] = Tissue.DISC


def _place_bowel(
    rng: np.random.Generator, space: Space, tissues: np.ndarray, cavity: np.ndarray, dome_mm: np.ndarray
) -> None:
    _, _, z = space.straight()
    room = (cavity < -2) & (z < dome_mm - 4)
    tissues[room & strands(rng, space.axes_zyx, MESENTERY_SCALE_MM, MESENTERY_WIDTH)] = Tissue.MESENTERY
    stool = smooth_noise(rng, space.axes_zyx, 9.0)
    gassy = smooth_noise(rng, space.axes_zyx, 40.0)
    loops = _draw_loops(rng)
    for tube in (*loops, *standard.COLON):
        field = tube.field(space)
        tissues[room & (field < 0)] = Tissue.BOWEL
        tissues[room & (field < -3)] = Tissue.BOWEL_CONTENT
        if tube in standard.COLON:
            tissues[room & (field < -3.5) & ((gassy > 0.5) | (stool > 0.9))] = Tissue.BOWEL_GAS


def _draw_loops(rng: np.random.Generator) -> list[Tube]:
    """Loops of small bowel below the pancreas: random walks, front to middle."""
    loops = []
    for start_z in np.linspace(-106, -44, 8):
        x = 12 + 72 * np.sin(rng.uniform(-np.pi, np.pi) + np.cumsum(rng.normal(0, 0.7, 7)))
        y = rng.uniform(-78, -30, 7)
        z = start_z + rng.normal(0, 9, 7)
        points = np.stack([x, y, z, rng.uniform(9, 15, 7)], axis=1)
        loops.append(Tube(tuple(map(tuple, points))))
    return loops
