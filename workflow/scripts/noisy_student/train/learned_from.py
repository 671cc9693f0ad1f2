"""What a case teaches of each label: how many voxels, how many are left out of the loss, how sure their targets are."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from noisy_student.model.soft_labels import FIRST, SHARE, WHOLE

# In whole per cent, the share of the first class below which a target counts as soft.
SOFT_BELOW = 95


def learned_from(
    labels_zyx: np.ndarray, targets: np.ndarray, ignore: int, names: Mapping[int, str]
) -> list[dict[str, Any]]:
    """A row for each label of `names`, by which voxels are counted before any is left out.

    What is outside, or was labelled by nobody (a number after all of these), counts as background.

    `targets` are what training sees: (1, z, y, x), or (3, z, y, x) if soft; from `ignore` on their labels are none of
    the classes. Columns: `label`, `organ`, `voxels`; `left_out` of the loss, or learned as one of several labels; and
    of the others, how many are `soft`, and `mean_share`, the mean share of the first class from 0 to 1, None where
    there are none.
    """
    size = max(names) + 1
    left_out, learned, soft, lacking = np.zeros((4, size), np.int64)
    for labels, target in zip(labels_zyx, np.moveaxis(targets, 1, 0), strict=True):
        label = np.where(labels < size, labels, 0).clip(min=0)
        ignored = target[FIRST] >= ignore
        left_out += np.bincount(label[ignored], minlength=size)
        learned += np.bincount(label[~ignored], minlength=size)
        if len(target) > 1:
            share = np.where(ignored, WHOLE, target[SHARE])
            soft += np.bincount(label[share < SOFT_BELOW], minlength=size)
            # To the whole; nothing where a voxel is left out.
            lacking += np.bincount(label.ravel(), (WHOLE - share).ravel(), size).astype(np.int64)
    return [
        {
            "label": label,
            "organ": organ,
            "voxels": int(left_out[label] + learned[label]),
            "left_out": int(left_out[label]),
            "soft": int(soft[label]),
            "mean_share": 1 - float(lacking[label] / learned[label]) / WHOLE if learned[label] else None,
        }
        for label, organ in names.items()
    ]
