"""Voxels of each organ from which training draws its patches: nnU-Net's own sample, without a list of all voxels.

nnU-Net lists the coordinates of all voxels that may be drawn, sorts them by label and draws from the list
(`DefaultPreprocessor._sample_foreground_locations`). Here the list is one of places in the box around the organs.

Where background may be drawn too, nnU-Net lists all voxels and shuffles as many numbers to take the first hundredth of
them. That takes several times as long as all else together, so there as many are drawn another way, just as evenly.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from noisy_student.boxes import box_of
from noisy_student.plan.preprocessing import OUTSIDE, Plan

# nnU-Net's: so many voxels of a class, or all if it has fewer, but no less than this share of them.
SEED, AT_LEAST, SHARE = 1234, 10_000, 0.01


def class_locations(labels: np.ndarray, plan: Plan) -> dict[Any, np.ndarray]:
    """Class → a sample of its voxels, int32 (voxel, 4): indices into the labels (1, z, y, x).

    Where the dataset has the ignore label, also of all other voxels together: nnU-Net draws its patches without an
    organ there. That sample is as large as nnU-Net's but another one; those of the organs are nnU-Net's.
    """
    manager = plan.manager.get_label_manager(plan.dataset)
    found: dict[Any, np.ndarray] = _of_organs(labels[0], manager.foreground_labels)
    if manager.has_ignore_label:
        found[(OUTSIDE, *map(int, manager.all_labels))] = _of_all(labels[0], manager.ignore_label)
    return found


def _of_organs(labels_zyx: np.ndarray, organs: Sequence[int]) -> dict[int, np.ndarray]:
    is_organ = (labels_zyx > 0) & (labels_zyx <= max(organs))
    box = box_of(is_organ)
    inside = np.ascontiguousarray(labels_zyx[box])
    voxels = np.flatnonzero(is_organ[box])
    found = inside.ravel()[voxels]
    voxels = voxels[np.argsort(found, kind="stable")]
    counts = np.bincount(found, minlength=max(organs) + 1)
    starts = counts.cumsum() - counts
    random = np.random.RandomState(SEED)
    places = {}
    for organ in organs:
        own = voxels[starts[organ] :][: counts[organ]]
        drawn = own[random.choice(len(own), _how_many(len(own)), replace=False)] if len(own) else own
        places[organ] = _places(drawn, inside.shape, [part.start for part in box])
    return places


def _of_all(labels_zyx: np.ndarray, ignored: int) -> np.ndarray:
    """Of all voxels that are not `ignored`; those among a somewhat larger sample of all voxels."""
    labels = labels_zyx.ravel()
    allowed = labels.size - np.count_nonzero(labels == ignored)
    many = _how_many(allowed)
    random = np.random.default_rng(SEED)
    tried, drawn = many, np.zeros(0, np.int64)
    while len(drawn) < many:
        tried = min(labels.size, int(1.1 * tried * labels.size / allowed) + 1)
        drawn = random.choice(labels.size, tried, replace=False)
        drawn = drawn[labels[drawn] != ignored][:many]
    return _places(drawn, labels_zyx.shape, (0, 0, 0))


def _how_many(voxels: int) -> int:
    return max(min(AT_LEAST, voxels), int(np.ceil(voxels * SHARE)))


def _places(voxels: np.ndarray, shape_zyx: Sequence[int], start_zyx: Sequence[int]) -> np.ndarray:
    """Numbers of voxels in a box as int32 (voxel, 4): 0, z, y, x of the whole array."""
    places = np.zeros((len(voxels), 4), np.int32)
    if len(voxels):
        places[:, 1:] = np.transpose(np.unravel_index(voxels, tuple(shape_zyx))) + np.asarray(start_zyx)
    return places
