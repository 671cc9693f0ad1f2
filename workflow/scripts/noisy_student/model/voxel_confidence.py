"""How sure a teacher is of each voxel: a byte a voxel on the network's grid instead of a softmax."""

from collections.abc import Sequence
from pathlib import Path

import blosc2
import numpy as np
import torch
from torch.nn.functional import interpolate

from noisy_student.damage import damaged
from noisy_student.files import whole_file
from noisy_student.model.translation import Translation

PERCENT = 100
BACKGROUND = "background"
UNDECIDED = np.uint8(0)


def confidence_map(
    logits: torch.Tensor, passes: Sequence[Sequence[np.ndarray]], meaning: Translation | None = None
) -> np.ndarray:
    """The probability of each voxel's most probable class in whole per cent, rounded down: uint8 (z, y, x).

    `logits` are (class, z, y, x). `passes` are the label maps (z, y, x) of each network, of the scan as it is and of
    mirrored ones; where one differs from the others the confidence is 0.

    Of a model whose labels have a `meaning` here, classes that are background count as one. Where such a model finds
    what may be part of an organ, the voxel is undecided: then 0 says that alone, and differing passes have 1.
    """
    found = np.empty(tuple(logits.shape[1:]), np.uint8)
    confidence = np.empty_like(found)
    for z in range(logits.shape[1]):
        classes = logits[:, z].float()
        highest, most_probable = classes.max(0)
        # Softmax relative to its largest value: that one is 1 / Σ exp(below).
        weights = torch.exp(classes - highest)
        largest = 1 / weights.sum(0)
        if meaning:
            background = torch.tensor(meaning.background_of(len(classes)), device=classes.device)
            of_background = weights[background].sum(0)
            largest *= torch.where(torch.isin(most_probable, background), of_background, 1)
        confidence[z] = (PERCENT * largest).to(torch.uint8).cpu().numpy()
        found[z] = most_probable.to(torch.uint8).cpu().numpy()
    label_maps = [meaning.of_each_label[label_map] if meaning else label_map for maps in passes for label_map in maps]
    for other in label_maps[1:]:
        confidence[other != label_maps[0]] = 0
    if meaning and meaning.unknown:
        return np.where(np.isin(found, list(meaning.unknown.values())), UNDECIDED, np.maximum(confidence, 1))
    return confidence


def write_map(voxels: np.ndarray, path: Path) -> None:
    """Write what is known of each voxel in one step."""
    with whole_file(path) as temporary:
        blosc2.save_array(voxels, str(temporary), cparams={"codec": blosc2.Codec.ZSTD, "nthreads": 1})


def read_map(path: Path, what: str) -> np.ndarray:
    """The same from its file; `what` it is, for the error."""
    try:
        return blosc2.load_array(str(path))
    except Exception as error:
        raise damaged(path, what, error) from error


def write_confidence(confidence_zyx: np.ndarray, path: Path) -> None:
    """Write a confidence map in one step."""
    write_map(confidence_zyx, path)


def read_confidence(path: Path) -> np.ndarray:
    """A confidence map (z, y, x) in per cent."""
    return read_map(path, "a map of voxel confidence")


def nearest_on_grid(confidence_zyx: np.ndarray, shape_zyx: Sequence[int]) -> np.ndarray:
    """The confidence of the nearest voxel, on another grid of the same crop of a scan."""
    if confidence_zyx.shape == tuple(shape_zyx):
        return confidence_zyx
    whole = torch.from_numpy(confidence_zyx)[None, None]
    return interpolate(whole, size=tuple(shape_zyx), mode="nearest-exact")[0, 0].numpy()


def mask_on_scan(mask_zyx: np.ndarray, crop: Sequence[slice], shape_zyx: Sequence[int]) -> np.ndarray:
    """A mask of the network's grid, which covers a crop of the scan, on the scan's own: bool (z, y, x)."""
    found = np.zeros(shape_zyx, bool)
    found[tuple(crop)] = nearest_on_grid(mask_zyx.astype(np.uint8), found[tuple(crop)].shape)
    return found


def counts_by_confidence(labels_zyx: np.ndarray, confidence_zyx: np.ndarray, classes: int) -> np.ndarray:
    """How many voxels of each label have each confidence: int (label, per cent from 0 to 100)."""
    shape = (classes, PERCENT + 1)
    counts = np.zeros(shape[0] * shape[1], np.int64)
    # Slice by slice, since counting takes 8 bytes a voxel.
    for labels, confidence in zip(labels_zyx, confidence_zyx, strict=True):
        counts += np.bincount((labels.astype(np.int64) * shape[1] + confidence).ravel(), minlength=len(counts))
    return counts.reshape(shape)


def unsure_voxels(confidence_zyx: np.ndarray, labels_zyx: np.ndarray, least: Sequence[float]) -> np.ndarray:
    """Where the confidence is too low for a voxel's label, bool (z, y, x) on the grid of the labels.

    `least` is what voxels of each label need, from 0 to 1 in whole per cent, first those of background (label 0 or
    below). Both grids cover the same crop of the scan; each voxel has the confidence of the teacher's nearest one.
    """
    nearest = nearest_on_grid(confidence_zyx, labels_zyx.shape)
    needed = np.round(PERCENT * np.asarray(least)).astype(np.uint8)
    return nearest < needed[np.maximum(labels_zyx, 0)]
