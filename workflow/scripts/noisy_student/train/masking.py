"""Organs and voxels left out of the loss: nnU-Net's ignore label instead of a label that is not trusted."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt

from noisy_student.boxes import box_of
from noisy_student.sparse import IGNORE

# The true organ may be larger than its implausible label: so far around it, background is not trusted either.
MARGIN_MM = 10.0


def with_ignore_label(description: dict[str, Any]) -> dict[str, Any]:
    """nnU-Net's dataset.json with the ignore label, which must be the highest; the network's outputs stay the same."""
    labels = description["labels"]
    return {**description, "labels": {**labels, IGNORE: max(labels.values()) + 1}}


def mask_organs(labels: np.ndarray, organs: Sequence[int], ignore: int, spacing_mm_zyx: Sequence[float]) -> np.ndarray:
    """A label map (1, z, y, x) whose `organs`, and the background within `MARGIN_MM` of them, are `ignore`."""
    untrusted = np.isin(labels[0], list(organs))
    if not untrusted.any():
        return labels
    masked = labels.copy()
    box, near = _around(untrusted, spacing_mm_zyx, MARGIN_MM)
    inside = masked[0][box]
    inside[untrusted[box] | (near & (inside <= 0))] = ignore
    return masked


def near_found(
    runner_up: np.ndarray, labels: np.ndarray, organs: Sequence[int], spacing_mm_zyx: Sequence[float], near_mm: float
) -> np.ndarray:
    """Background of `labels` whose runner-up is one of the `organs`, at most `near_mm` from where that was found.

    All are (z, y, x).
    """
    found = np.zeros(labels.shape, bool)
    for organ in organs:
        mask = labels == organ
        if mask.any():
            box, near = _around(mask, spacing_mm_zyx, near_mm)
            found[box] |= near & (runner_up[box] == organ) & (labels[box] <= 0)
    return found


def _around(mask: np.ndarray, spacing_mm_zyx: Sequence[float], near_mm: float) -> tuple[tuple[slice, ...], np.ndarray]:
    """The box (z, y, x) that reaches so far beyond a mask, and which of its voxels are so near to the mask.

    Distances of the whole grid would take 20 bytes a voxel.
    """
    margins = [int(np.ceil(near_mm / spacing)) for spacing in spacing_mm_zyx]
    box = tuple(
        slice(max(0, part.start - margin), part.stop + margin)
        for part, margin in zip(box_of(mask), margins, strict=True)
    )
    return box, distance_transform_edt(~mask[box], sampling=list(spacing_mm_zyx)) <= near_mm


def mask_voxels(labels: np.ndarray, unsure: np.ndarray, instead: int) -> np.ndarray:
    """A label map (1, z, y, x) whose `unsure` voxels (z, y, x) are `instead`: the ignore label, or a set of labels."""
    return np.where(unsure, labels.dtype.type(instead), labels)
