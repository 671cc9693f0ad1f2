"""What labelling says about each organ of a scan: the columns of the score tables, and how they are put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from noisy_student.geometry import voxel_volume_ml

# Probabilities and agreement are of the network's grid, voxels and volume of the label map on the scan's own.
SCORES = {
    "label": "the organ's label",
    "organ": "its name",
    "mean_max_probability": "mean over the organ's voxels of the largest class probability; empty if it was not found",
    "mean_entropy": "mean over the organ's voxels of the class probabilities' entropy, as a share of its largest "
    "possible value: 0 is sure, 1 is all classes alike; empty if the organ was not found",
    "fold_agreement": "mean DSC over all pairs of networks (folds and their voices), 1 for a pair in which neither "
    "found the organ; empty with one network",
    "mirror_agreement": "mean DSC of each network's label map with those of the mirrored scan (never left-right), 1 "
    "for a pair in which neither found the organ; empty without mirroring",
    "voxels": "voxels of the organ; 0 if it was not found",
    "volume_ml": "their volume in ml; 0 if it was not found",
}


@dataclass(frozen=True)
class Certainty:
    """Sums over the voxels of each class (index: class): how many, largest probability, entropy as a share."""

    voxels: np.ndarray
    max_probability: np.ndarray
    entropy: np.ndarray


def class_counts(label_map: np.ndarray, classes: int) -> np.ndarray:
    """Voxels of each class, slice by slice, since counting takes 8 bytes a voxel."""
    return sum((np.bincount(part.ravel(), minlength=classes) for part in label_map), np.zeros(classes, dtype=int))


def dsc(left: np.ndarray, right: np.ndarray, classes: int) -> np.ndarray:
    """DSC of each class between two label maps (z, y, x); 1 for a class that neither has."""
    both = class_counts(left, classes) + class_counts(right, classes)
    shared = sum(np.bincount(a[a == b], minlength=classes) for a, b in zip(left, right, strict=True))
    return np.where(both > 0, 2 * shared / np.maximum(both, 1), 1.0)


def agreement(pairs: Sequence[tuple[np.ndarray, np.ndarray]], classes: int) -> np.ndarray:
    """Mean DSC of each class over pairs of label maps; not a number without pairs."""
    found = [dsc(left, right, classes) for left, right in pairs]
    return np.mean(found, axis=0) if found else np.full(classes, np.nan)


def fold_pairs(passes: Sequence[Sequence[np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """All pairs of the networks' label maps. Each network has a list: of the scan as it is, then of mirrored ones."""
    return list(combinations([maps[0] for maps in passes], 2))


def mirror_pairs(passes: Sequence[Sequence[np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each network's label map with each of its mirrored ones."""
    return [(maps[0], mirrored) for maps in passes for mirrored in maps[1:]]


def score_table(
    organs: dict[str, int],
    certainty: Certainty,
    passes: Sequence[Sequence[np.ndarray]],
    label_map_zyx: np.ndarray,
    spacing_mm: Sequence[float],
) -> pd.DataFrame:
    """One row per organ (name → label) with the columns `SCORES`.

    `passes` are label maps on the network's grid, as `fold_pairs` takes them; none are needed where there is nothing
    to compare.
    """
    classes = len(certainty.voxels)
    voxels = class_counts(label_map_zyx, classes)
    with np.errstate(invalid="ignore"):
        columns = {
            "mean_max_probability": certainty.max_probability / certainty.voxels,
            "mean_entropy": certainty.entropy / certainty.voxels,
            "fold_agreement": agreement(fold_pairs(passes), classes),
            "mirror_agreement": agreement(mirror_pairs(passes), classes),
            "voxels": voxels,
            "volume_ml": voxels * voxel_volume_ml(spacing_mm),
        }
    labels = list(organs.values())
    table = pd.DataFrame({name: values[labels] for name, values in columns.items()})
    return table.assign(label=labels, organ=list(organs))[list(SCORES)]
