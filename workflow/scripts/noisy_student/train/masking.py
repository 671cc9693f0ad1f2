"""Organs and voxels left out of the loss: nnU-Net's ignore label instead of a label that is not trusted."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt

IGNORE = "ignore"
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
    near = distance_transform_edt(~untrusted, sampling=list(spacing_mm_zyx)) <= MARGIN_MM
    return np.where(untrusted | (near & (labels[0] <= 0)), ignore, labels[0])[None].astype(labels.dtype)


def mask_voxels(labels: np.ndarray, unsure: np.ndarray, ignore: int) -> np.ndarray:
    """A label map (1, z, y, x) whose `unsure` voxels (z, y, x) are `ignore`."""
    return np.where(unsure, labels.dtype.type(ignore), labels)
