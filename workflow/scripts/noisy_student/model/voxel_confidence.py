"""How sure a teacher is of each voxel: a byte a voxel on the network's grid instead of a softmax."""

from collections.abc import Sequence
from pathlib import Path

import blosc2
import numpy as np
import torch
from torch.nn.functional import interpolate

from noisy_student.damage import damaged
from noisy_student.files import whole_file

PERCENT = 100


def confidence_map(logits: torch.Tensor, passes: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """The largest class probability of each voxel in whole per cent, rounded down: uint8 (z, y, x).

    `logits` are (class, z, y, x). `passes` are the label maps (z, y, x) of each fold, of the scan as it is and of
    mirrored ones; where one differs from the others the confidence is 0.
    """
    confidence = np.empty(tuple(logits.shape[1:]), np.uint8)
    for z in range(logits.shape[1]):
        classes = logits[:, z].float()
        # Softmax relative to its largest value: that one is 1 / Σ exp(below).
        largest = 1 / torch.exp(classes - classes.max(0).values).sum(0)
        confidence[z] = (PERCENT * largest).to(torch.uint8).cpu().numpy()
    label_maps = [label_map for maps in passes for label_map in maps]
    for other in label_maps[1:]:
        confidence[other != label_maps[0]] = 0
    return confidence


def write_confidence(confidence_zyx: np.ndarray, path: Path) -> None:
    """Write a confidence map in one step."""
    with whole_file(path) as temporary:
        blosc2.save_array(confidence_zyx, str(temporary), cparams={"codec": blosc2.Codec.ZSTD, "nthreads": 1})


def read_confidence(path: Path) -> np.ndarray:
    """A confidence map (z, y, x) in per cent."""
    try:
        return blosc2.load_array(str(path))
    except Exception as error:
        raise damaged(path, "a map of voxel confidence", error) from error


def unsure_voxels(confidence_zyx: np.ndarray, labels_zyx: np.ndarray, organ: float, background: float) -> np.ndarray:
    """Where the confidence is too low for a voxel's label, bool (z, y, x) on the grid of the labels.

    `organ` and `background` (label 0 or below) are what such voxels need, from 0 to 1 in whole per cent. Both grids
    cover the same crop of the scan; each voxel has the confidence of the teacher's nearest one.
    """
    nearest = confidence_zyx
    if nearest.shape != labels_zyx.shape:
        whole = torch.from_numpy(confidence_zyx)[None, None]
        nearest = interpolate(whole, size=labels_zyx.shape, mode="nearest-exact")[0, 0].numpy()
    needed = (np.uint8(round(PERCENT * bound)) for bound in (organ, background))
    return nearest < np.where(labels_zyx > 0, *needed)
