"""What several models that do not all mark the same organs make of a scan together. Arrays are (z, y, x)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noisy_student.boxes import box_of
from noisy_student.model.voxel_confidence import UNDECIDED, nearest_on_grid


@dataclass(frozen=True)
class Opinion:
    """One model's label map of a scan, the confidence of nnU-Net's crop on some grid, and the labels that it may give.

    `undecided`: its background of confidence 0 may be a part of an organ.
    """

    label_map: np.ndarray
    confidence: np.ndarray
    labels: frozenset[int]
    undecided: bool = False


def vote(opinions: Sequence[Opinion], crop: tuple[slice, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The label map, uint8, and the confidence in per cent of the box `crop` of it.

    A voxel is an organ's if more than half of those say so who mark that organ, or say that it is another one. It is
    background if all say so. Else it is background of confidence 0, undecided. Confidence is the mean over those who
    had a say, of whom the overruled count with 0.
    """
    label_map, voters = _most(opinions)
    said = label_map[crop]
    total = np.zeros(said.shape, np.uint16)
    undecided = _some_organ(opinions, crop) & (said == 0)
    for opinion in opinions:
        confidence = nearest_on_grid(opinion.confidence, said.shape)
        agrees = opinion.label_map[crop] == said
        total += np.where(agrees, confidence, 0)
        if opinion.undecided:
            undecided |= agrees & (said == 0) & (confidence == UNDECIDED)
    mean = np.maximum(total // voters[crop], 1).astype(np.uint8)
    return label_map, np.where(undecided, UNDECIDED, mean)


def _some_organ(opinions: Sequence[Opinion], box: tuple[slice, ...]) -> np.ndarray:
    return np.logical_or.reduce([opinion.label_map[box] > 0 for opinion in opinions])


def _most(opinions: Sequence[Opinion]) -> tuple[np.ndarray, np.ndarray]:
    """The label that most give, and how many had a say in it."""
    shape = opinions[0].label_map.shape
    label_map, voters = np.zeros(shape, np.uint8), np.full(shape, len(opinions), np.uint8)
    box = box_of(_some_organ(opinions, tuple(map(slice, shape))))
    for label in sorted(frozenset().union(*(opinion.labels for opinion in opinions))):
        own = [opinion.label_map[box] for opinion in opinions]
        say_so = sum((labels == label).astype(np.uint8) for labels in own)
        have_a_say = sum(
            np.uint8(1) if label in opinion.labels else (labels > 0).astype(np.uint8)
            for opinion, labels in zip(opinions, own, strict=True)
        )
        wins = 2 * say_so > have_a_say
        label_map[box][wins] = label
        voters[box][wins] = np.broadcast_to(have_a_say, wins.shape)[wins]
    return label_map, voters
