"""From logits on the network's grid, slice by slice: each voxel's class, and how sure the network is of it.

Logits are (class, z, y, x). Probabilities are their softmax; background is not scored.
"""

import math

import numpy as np
import torch

from noisy_student.model.scores import Certainty


def label_map_on_grid(logits: torch.Tensor) -> np.ndarray:
    """The most probable class of each voxel, uint8 (z, y, x)."""
    return np.stack([logits[:, z].float().argmax(0).to(torch.uint8).cpu().numpy() for z in range(logits.shape[1])])


def certainty_of(logits: torch.Tensor) -> tuple[Certainty, torch.Tensor]:
    """How sure the network is of each class, and the most probable class of each voxel, uint8 (z, y, x).

    Sums over each organ's voxels of the largest probability and of the entropy, divided by ln(classes).
    """
    classes = logits.shape[0]
    sums = torch.zeros(3, classes, dtype=torch.double, device=logits.device)
    label_map = torch.empty(logits.shape[1:], dtype=torch.uint8, device=logits.device)
    for z in range(logits.shape[1]):
        highest, found = logits[:, z].float().max(0)
        label_map[z] = found
        organ = found > 0
        below = logits[:, z][:, organ].float() - highest[organ]
        # Softmax relative to its largest value: that one is 1 / Σ exp(below).
        weights = torch.exp(below)
        total = weights.sum(0)
        entropy = torch.log(total) - (weights * below).sum(0) / total
        for row, values in enumerate((torch.ones_like(total), 1 / total, entropy / math.log(classes))):
            sums[row] += torch.bincount(found[organ], weights=values.double(), minlength=classes)
    return Certainty(*sums.cpu().numpy()), label_map
