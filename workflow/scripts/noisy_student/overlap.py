"""How many voxels of each organ the two label maps share, slice by slice, in one pass for all organs."""

import numpy as np


def slice_overlaps(truth_zyx: np.ndarray, prediction_zyx: np.ndarray, organs: int, axis: int = 0) -> np.ndarray:
    """Voxel counts (slice along `axis`, truth's label, prediction's label) of labels up to `organs`.

    Background with background stays 0.
    """
    truth, prediction = np.moveaxis(truth_zyx, axis, 0), np.moveaxis(prediction_zyx, axis, 0)
    return np.stack([_overlap(*slices, organs + 1) for slices in zip(truth, prediction, strict=True)])


def _overlap(truth: np.ndarray, prediction: np.ndarray, labels: int) -> np.ndarray:
    labelled = (truth | prediction) != 0
    pairs = truth[labelled].astype(np.int64) * labels + prediction[labelled]
    return np.bincount(pairs, minlength=labels * labels).reshape(labels, labels)


def truth_slices(overlaps: np.ndarray, label: int, closed: bool) -> slice:
    """The slices from the truth's first to its last one; the last is left out unless `closed`, or if it is the only.

    Where the truth has one slice the official tools crash on an empty range; here that slice is kept.
    """
    occupied = np.flatnonzero(overlaps[:, label, :].sum(axis=1))
    first, last = int(occupied[0]), int(occupied[-1])
    return slice(first, last + 1 if closed or first == last else last)


def dice(overlaps: np.ndarray, label: int) -> float:
    """2 |A ∩ B| / (|A| + |B|) over the given slices; one of the two must not be empty."""
    total = overlaps.sum(axis=0)
    return 2 * total[label, label] / (total[label, :].sum() + total[:, label].sum())
