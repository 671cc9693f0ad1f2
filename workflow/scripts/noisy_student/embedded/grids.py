"""The grid of an embedded scan, and the finer one on which it is drawn: (z, y, x), twice as fine within a slice."""

import numpy as np

from noisy_student.organs import FLARE22

FINER = 2

Ends = tuple[float, float]


def fine_axes(ends_mm_zyx: tuple[Ends, Ends, Ends], spacing_mm_zyx: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    """Centres in mm of the fine voxels along z, y, x, so that whole voxels of the scan's spacing cover the ends."""
    finer_zyx = (1, FINER, FINER)
    return tuple(
        _axis(*ends, step, finer) for ends, step, finer in zip(ends_mm_zyx, spacing_mm_zyx, finer_zyx, strict=True)
    )


def _axis(low: float, high: float, step: float, finer: int) -> np.ndarray:
    count = int(np.ceil((high - low) / step)) * finer
    return low + (np.arange(count) + 0.5) * step / finer


def mean_of_blocks(fine: np.ndarray) -> np.ndarray:
    """Values of the scan's voxels: partial volumes of the fine ones."""
    parts = _parts(fine)
    return sum(parts[1:], start=parts[0]) / len(parts)


def majority_of_blocks(fine: np.ndarray) -> np.ndarray:
    """The most frequent label of each block; an organ wins a tie against the background, label 0."""
    parts = _parts(fine)
    most, winner = np.zeros(parts[0].shape, np.uint8), np.zeros(parts[0].shape, np.uint8)
    for label in (*range(1, len(FLARE22) + 1), 0):
        votes = sum((part == label for part in parts), start=np.zeros(parts[0].shape, np.uint8))
        winner[votes > most] = label
        most = np.maximum(most, votes)
    return winner


def _parts(fine: np.ndarray) -> list[np.ndarray]:
    """The first, second, … fine voxel of every block, each a (z, y, x) array of the scan's size."""
    return [fine[:, row::FINER, column::FINER] for row in range(FINER) for column in range(FINER)]
