"""The body that every embedded scan deforms: organs as a few tubes and ellipsoids.

Millimetres; x to the patient's left from the midline, y to the back, z to the head from the middle of the
kidneys. Sizes and places are those of an average adult.
"""

from dataclasses import dataclass

import numpy as np

from noisy_student.embedded.shapes import Ellipsoid, Tube
from noisy_student.embedded.tissues import Tissue

Part = Ellipsoid | Tube

# Inside of the abdominal wall: a superellipse in the axial plane.
CAVITY_CENTRE_Y_MM = -4.0
CAVITY_HALF_WIDTH_MM = 138.0
CAVITY_HALF_DEPTH_MM = 94.0
WALL_MM = 12.0
BOTTOM_MM, TOP_MM = -96.0, 138.0

# The two domes of the diaphragm: x, y and z of the top, and how far away, along x and y, it has fallen by 60 mm.
DOMES = ((-68.0, -18.0, 122.0, 88.0, 100.0), (66.0, -8.0, 114.0, 88.0, 96.0))
DOME_FALL_MM = 60.0
RECESS_MM = 34.0  # the lungs' lowest point


@dataclass(frozen=True)
class OrganShape:
    """One organ: parts that are united, parts cut out of it, and the neighbours' smallest distance."""

    organ: Tissue
    moves_with: str
    parts: tuple[Part, ...]
    holes: tuple[Part, ...] = ()
    rough_mm: float = 1.0
    size_varies: float = 1.0  # against other organs
    gap_mm: float = 1.5


# In order of precedence: where two organs claim a voxel, the first has it. The smallest can spare the least.
ORGANS = (
    OrganShape(
        Tissue.RIGHT_ADRENAL,
        "right kidney",
        (
            Tube(((-35, 22, 68, 6.3), (-38, 32, 57, 7.8), (-50, 42, 52, 6.9))),
            Tube(((-38, 32, 57, 7.8), (-36, 41, 48, 6.3))),
        ),
        rough_mm=0.3,
        size_varies=0.5,
    ),
    OrganShape(
        Tissue.LEFT_ADRENAL,
        "left kidney",
        (
            Tube(((34, 11, 60, 6.2), (40, 20, 52, 7.8), (53, 27, 50, 6.8))),
            Tube(((40, 20, 52, 7.8), (38, 32, 45, 6.2))),
        ),
        rough_mm=0.3,
        size_varies=0.5,
    ),
    OrganShape(
        Tissue.AORTA,
        "spine",
        (Tube(((5, 5, -110, 9), (7, 12, -20, 9.5), (9, 17, 50, 10.5), (13, 29, 105, 11), (17, 36, 160, 11.5))),),
        rough_mm=0.3,
    ),
    OrganShape(
        Tissue.IVC,
        "spine",
        (Tube(((-20, 6, -110, 10.5), (-22, 9, -20, 11), (-26, 5, 45, 12), (-20, 0, 95, 12), (-14, -6, 122, 13))),),
        rough_mm=0.8,
        gap_mm=0,
    ),
    OrganShape(
        Tissue.ESOPHAGUS,
        "stomach",
        (Tube(((3, 18, 160, 11), (6, 14, 135, 11), (14, 8, 114, 11), (26, 2, 100, 10.5), (36, -2, 93, 10))),),
        rough_mm=0.4,
        gap_mm=0,
    ),
    OrganShape(
        Tissue.RIGHT_KIDNEY,
        "right kidney",
        (Ellipsoid((-72, 45, -10), (29, 26, 55), (-8, 13, -25)),),
        holes=(Ellipsoid((-47, 36, -10), (17, 10, 18), (0, 0, 30)),),
        gap_mm=2.5,
    ),
    OrganShape(
        Tissue.LEFT_KIDNEY,
        "left kidney",
        (Ellipsoid((75, 44, -4), (29, 26, 55), (-8, -13, 25)),),
        holes=(Ellipsoid((50, 35, -4), (17, 10, 18), (0, 0, -30)),),
        gap_mm=2.5,
    ),
    OrganShape(
        Tissue.GALLBLADDER,
        "liver",
        (Tube(((-50, -30, 34, 6), (-60, -44, 22, 12), (-68, -58, 10, 15), (-72, -66, 3, 13))),),
        rough_mm=0.5,
        gap_mm=0,
    ),
    OrganShape(
        Tissue.PANCREAS,
        "pancreas",
        (
            Tube(
                (
                    (-20, -12, -8, 14),
                    (-19, -18, 10, 16),
                    (0, -31, 24, 11.5),
                    (26, -24, 31, 12.5),
                    (54, 0, 37, 12.5),
                    (82, 22, 47, 11),
                )
            ),
        ),
        rough_mm=2.0,
        gap_mm=1.0,
    ),
    OrganShape(
        Tissue.DUODENUM,
        "pancreas",
        (
            Tube(
                (
                    (-30, -48, 22, 11),
                    (-48, -34, 14, 12),
                    (-51, -17, -10, 12),
                    (-46, -13, -34, 12),
                    (-22, -14, -45, 11),
                    (4, -16, -41, 10.5),
                    (26, -20, -26, 11),
                    (34, -28, -8, 11),
                )
            ),
        ),
        rough_mm=1.2,
        gap_mm=1.0,
    ),
    OrganShape(
        Tissue.SPLEEN,
        "spleen",
        (
            Ellipsoid((108, 38, 60), (25, 40, 46), (28, -8, 32)),
            Ellipsoid((99, 62, 70), (22, 24, 34), (20, 0, 50)),
        ),
        rough_mm=2.0,
    ),
    OrganShape(
        Tissue.STOMACH,
        "stomach",
        (
            Tube(
                (
                    (56, 22, 96, 26),
                    (62, -8, 84, 31),
                    (60, -40, 62, 28),
                    (42, -60, 38, 23),
                    (12, -64, 26, 18),
                    (-17, -55, 24, 12),
                )
            ),
        ),
        rough_mm=3.0,
    ),
    OrganShape(
        Tissue.LIVER,
        "liver",
        (
            Ellipsoid((-78, -10, 48), (68, 88, 76), (0, 6, -12)),
            Ellipsoid((-66, -14, 92), (76, 84, 52)),
            Ellipsoid((10, -60, 84), (70, 38, 36), (0, -10, 10)),
        ),
        rough_mm=3.0,
    ),
)


def liver_edge_mm(x: np.ndarray) -> np.ndarray:
    """The height under which the liver ends: low at the right flank, rising to the left lobe."""
    return np.minimum(0.75 * (x + 68), 44 + 0.3 * (x + 10))


def liver_back_mm(x: np.ndarray) -> np.ndarray:
    """How far back the liver reaches: it leaves room for the adrenal gland beside the spine."""
    return 12 + 0.9 * np.maximum(0, -26 - x)


def dome_mm(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The height of the diaphragm above each point, from the top of a dome down to the recess at the wall."""
    heights = [
        top - DOME_FALL_MM * (((x - x0) / half_x) ** 2 + ((y - y0) / half_y) ** 2)
        for x0, y0, top, half_x, half_y in DOMES
    ]
    return np.maximum(np.maximum(*heights), RECESS_MM)


# Bowel, that no label names: ascending, transverse and descending colon.
COLON = (
    Tube(((-104, 16, -120, 24), (-106, 10, -70, 22), (-104, -8, -36, 21), (-92, -48, -22, 18))),
    Tube(((-92, -48, -22, 18), (-50, -78, -34, 17), (10, -82, -38, 16), (60, -70, -12, 17), (98, -30, 12, 17))),
    Tube(((98, -30, 12, 17), (112, 6, -6, 15), (112, 20, -50, 14), (106, 20, -120, 15))),
)
HEART = Ellipsoid((22, -34, 158), (66, 52, 44), (0, 12, 20))
