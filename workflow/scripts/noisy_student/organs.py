"""The label table: which organ has which label, and how strictly its surface is judged."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Organ:
    """One row of the label table.

    `z_limited` organs run on beyond the labelled slices, so the official evaluation cuts both label
    maps to the truth's slices first.
    """

    label: int
    name: str
    short: str
    tolerance_mm: float
    colour: str
    z_limited: bool = False


# Labels and tolerances: the FLARE22 challenge's evaluation code, in the order of the paper's tables.
FLARE22: tuple[Organ, ...] = (
    Organ(1, "liver", "Liver", 5, "#a6522c"),
    Organ(2, "right kidney", "RK", 3, "#e69f00"),
    Organ(3, "spleen", "Spleen", 3, "#7b5fb0"),
    Organ(4, "pancreas", "Pancreas", 5, "#f0e442"),
    Organ(5, "aorta", "Aorta", 2, "#d62728", z_limited=True),
    Organ(6, "inferior vena cava", "IVC", 2, "#1f5fd0", z_limited=True),
    Organ(7, "right adrenal gland", "RAG", 2, "#00c2a8"),
    Organ(8, "left adrenal gland", "LAG", 2, "#8fd14f"),
    Organ(9, "gallbladder", "GB", 2, "#2e8b57"),
    Organ(10, "esophagus", "Esoph.", 3, "#b0b0b0", z_limited=True),
    Organ(11, "stomach", "Stomach", 5, "#f78fb3"),
    Organ(12, "duodenum", "Duod.", 7, "#56b4e9"),
    Organ(13, "left kidney", "LK", 3, "#c77700"),
)

# Pairs of labels that a left-right swap exchanges: kidneys and adrenal glands.
SIDED_PAIRS: tuple[tuple[int, int], ...] = ((2, 13), (7, 8))
