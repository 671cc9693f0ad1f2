"""Of each voxel the two classes that a teacher finds most probable, and the share of the first: three bytes a voxel.

Arrays are (FIRST | SECOND | SHARE, z, y, x), uint8, on the network's grid. The share is p1 / (p1 + p2) in whole per
cent, so 50 or more; what further classes have of the probability is left out.
"""

from pathlib import Path

import numpy as np
import torch

from noisy_student.model.translation import Translation
from noisy_student.model.voxel_confidence import read_map, write_map

FIRST, SECOND, SHARE = range(3)
WHOLE = 100


def soft_labels(logits: torch.Tensor, meaning: Translation | None = None) -> np.ndarray:
    """The soft labels of logits (class, z, y, x).

    Of a model whose labels have a `meaning` here, classes that mean the same count as one, and those of unknown meaning
    not at all.
    """
    found = np.empty((3, *logits.shape[1:]), np.uint8)
    theirs = torch.from_numpy(meaning.of_each_label.astype(np.int64)).to(logits.device) if meaning else None
    for z in range(logits.shape[1]):
        classes = logits[:, z].float()
        if theirs is not None:
            probabilities = classes.softmax(0)
            probabilities[list(meaning.unknown.values())] = 0
            shares = torch.zeros((int(theirs.max()) + 1, *classes.shape[1:]), device=classes.device)
            shares.index_add_(0, theirs[: len(classes)], probabilities)
            classes = shares.clamp_(min=torch.finfo(torch.float).tiny).log_()
        found[:, z] = two_most_probable(classes, 0).cpu().numpy()
    return found


def two_most_probable(logits: torch.Tensor, axis: int) -> torch.Tensor:
    """FIRST | SECOND | SHARE of logits, uint8, on the axis of their classes."""
    highest, first = logits.max(axis)
    next_highest, second = logits.scatter(axis, first.unsqueeze(axis), -torch.inf).max(axis)
    # Of two softmax values the first one's share is the logistic function of the difference of their logits.
    share = WHOLE * torch.sigmoid(highest - next_highest)
    return torch.stack([first, second, share.round()], axis).to(torch.uint8)


def hard(labels: np.ndarray) -> np.ndarray:
    """Labels (1, z, y, x) in the form of soft ones: whatever their type, each voxel wholly of its label."""
    return np.concatenate([labels, labels, np.full_like(labels, WHOLE)])


def write_soft_labels(soft: np.ndarray, path: Path) -> None:
    """Write soft labels in one step."""
    write_map(soft, path)


def read_soft_labels(path: Path) -> np.ndarray:
    """Soft labels of a file."""
    return read_map(path, "a map of soft labels")
