"""The grid of an embedded scan, and the finer one on which it is drawn: (z, y, x), twice as fine within a slice."""

import numpy as np

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
    return _blocks(fine).mean(axis=(2, 4))


def majority_of_blocks(fine: np.ndarray, labels: int = 14) -> np.ndarray:
    """The most frequent label of each block; an organ wins a tie against the background, label 0."""
    blocks = _blocks(fine)
    votes = np.stack([2 * (blocks == label).sum(axis=(2, 4), dtype=np.uint8) for label in range(labels)])
    votes[1:] += votes[1:] > 0
    return np.argmax(votes, axis=0).astype(np.uint8)


def _blocks(fine: np.ndarray) -> np.ndarray:
    z, y, x = fine.shape
    return fine.reshape(z, y // FINER, FINER, x // FINER, FINER)
