"""Voxels that nobody labelled, in label maps by hand: nnU-Net's `ignore`, the number after all organs'.

They are no background: no loss, no score, no volume and no statistic looks at them.
"""

from collections.abc import Sequence

import numpy as np

from noisy_student.organs import Organ

# nnU-Net's name of them, in the labels of its dataset.json.
IGNORE = "ignore"


def is_ignore(name: str) -> bool:
    """Whether a name of a number is nnU-Net's `ignore`."""
    return name.strip().lower() == IGNORE


def ignore_label(organs: Sequence[Organ]) -> int:
    """The number of voxels that nobody labelled beside those of the label table."""
    return len(organs) + 1


def judged_alone(truth_zyx: np.ndarray, found_zyx: np.ndarray, ignore: int) -> tuple[np.ndarray, np.ndarray]:
    """Both label maps (z, y, x) with background where the hand label says `ignore`, so that nothing differs there."""
    unlabelled = truth_zyx == ignore
    if not unlabelled.any():
        return truth_zyx, found_zyx
    return np.where(unlabelled, 0, truth_zyx), np.where(unlabelled, 0, found_zyx)


def without_ignored(label_map_zyx: np.ndarray, ignore: int) -> np.ndarray:
    """A label map (z, y, x) as it is shown where nothing but organs can be: what is `ignore` as background."""
    return np.where(label_map_zyx == ignore, 0, label_map_zyx)
