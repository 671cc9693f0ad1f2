"""A label map brought onto another grid, as nnU-Net's preprocessing resamples it, at the cost of the organs' borders.

nnU-Net interpolates the indicator of every label over the whole volume and takes the largest; of labels that tie, the
one of the nearest voxel if it is among them, else the lowest (batchgenerators' `resize_segmentation`, order 1). Where
all voxels that a new one lies between have one label, that is the result, so only the others are interpolated, and
those outside of the box that the organs lie in are not looked at. The order of the arithmetic is that of scipy's
`zoom`, so that ties are the same.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from noisy_student.boxes import box_of

HIGHER_THAN_ANY = 255
# Voxels that are interpolated together, at some 150 bytes each.
AT_ONCE = 500_000


def resample_labels(label_map_zyx: np.ndarray, shape_zyx: tuple[int, ...], apart: int | None) -> np.ndarray:
    """The label map (z, y, x; labels 0 to 254) on a grid of `shape_zyx`, uint8.

    Along the axis `apart`, if there is one, each new slice is the nearest old one, resampled in its plane.
    """
    source = np.ascontiguousarray(label_map_zyx, dtype=np.uint8)
    if source.shape == tuple(shape_zyx):
        return source
    axes = [Axis(old, new) for old, new in zip(source.shape, shape_zyx, strict=True)]
    if apart is not None:
        source = source.take(axes[apart].nearest, apart)
        axes[apart] = Axis(shape_zyx[apart], shape_zyx[apart])
    resampled = np.zeros(shape_zyx, np.uint8)
    box = reached_box(axes, source)
    if box is None:
        return resampled
    source = source[tuple(axis.cut(part) for axis, part in zip(axes, box, strict=True))]
    smallest = largest = source
    for number, axis in enumerate(axes):
        if not axis.lies_between:
            smallest, largest = smallest.take(axis.below, number), largest.take(axis.below, number)
            continue
        of_smallest = smallest.take(axis.below, number), smallest.take(axis.above, number)
        of_largest = (
            of_smallest if smallest is largest else (largest.take(axis.below, number), largest.take(axis.above, number))
        )
        smallest, largest = np.minimum(*of_smallest), np.maximum(*of_largest)
    borders = np.flatnonzero(smallest != largest)
    for start in range(0, len(borders), AT_ONCE):
        some = np.unravel_index(borders[start : start + AT_ONCE], smallest.shape)
        smallest[some] = _interpolated(source, axes, some)
    resampled[box] = smallest
    return resampled


def reached_box(axes: "Sequence[Axis]", label_map_zyx: np.ndarray) -> tuple[slice, ...] | None:
    """The new grid's box that lies next to organs of the old one; None where nothing does. Elsewhere is background."""
    box = tuple(axis.reached_from(part) for axis, part in zip(axes, box_of(label_map_zyx), strict=True))
    return None if any(part.start == part.stop for part in box) else box


def keep_labelled(label_map_zyx: np.ndarray, resampled_zyx: np.ndarray, unlabelled: int) -> np.ndarray:
    """The resampled label map, in which no labelled voxel is lost between those that nobody labelled.

    A new voxel that is `unlabelled`, and in which the centre of a labelled old one lies, has that one's label, that of
    the nearest slice. Of every tenth slice a coarser grid would have few, or none: nnU-Net takes the nearest slices, or
    the largest share of those beside a new one.
    """
    shapes = zip(label_map_zyx.shape, resampled_zyx.shape, strict=True)
    centres = [(np.arange(old) + 0.5) * new / old for old, new in shapes]
    places = [centre.astype(np.intp) for centre in centres]
    kept = resampled_zyx.copy()
    for z in np.argsort(-np.abs(centres[0] - 0.5 - places[0]), kind="stable"):
        y, x = np.nonzero(label_map_zyx[z] != unlabelled)
        target = np.broadcast_to(places[0][z], len(y)), places[1][y], places[2][x]
        is_lost = resampled_zyx[target] == unlabelled
        kept[tuple(axis[is_lost] for axis in target)] = label_map_zyx[z, y, x][is_lost]
    return kept


class Axis:
    """Where the centres of the new voxels lie on an old axis, clamped at its ends.

    Indices of the old voxels below, above and nearest, and the share of the one above in a linear interpolation.
    """

    ARRAYS = ("below", "above", "share_above", "nearest")

    def __init__(self, old: int, new: int) -> None:
        positions = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
        self.below = np.floor(positions).astype(np.intp)
        self.above = np.minimum(self.below + 1, old - 1)
        self.share_above = positions - self.below
        self.nearest = np.floor(positions + 0.5).astype(np.intp)
        self.lies_between = bool(self.share_above.any())

    def reached_from(self, old: slice) -> slice:
        """The new voxels that lie next to these old ones."""
        return slice(int(np.searchsorted(self.above, old.start)), int(np.searchsorted(self.below, old.stop)))

    def cut(self, new: slice) -> slice:
        """Leave only these new voxels; the old ones that are still needed, from which indices count now."""
        first, last = int(self.below[new.start]), int(self.above[new.stop - 1])
        self.share_above = self.share_above[new]
        self.below, self.above, self.nearest = (at[new] - first for at in (self.below, self.above, self.nearest))
        return slice(first, last + 1)


def _interpolated(source: np.ndarray, axes: list[Axis], voxels: tuple[np.ndarray, ...]) -> np.ndarray:
    """The labels of the new grid's `voxels` (z, y, x indices), interpolated between the up to eight around each."""
    corners, weights = [], []
    for above in product(*[(False, True) if axis.lies_between else (False,) for axis in axes]):
        place, weight = [], 1.0
        for axis, index, is_above in zip(axes, voxels, above, strict=True):
            place.append((axis.above if is_above else axis.below)[index])
            share = axis.share_above[index]
            weight = weight * (share if is_above else 1 - share)
        corners.append(source[tuple(place)])
        weights.append(weight)
    scores = [
        sum(np.where(other == label, weight, 0.0) for other, weight in zip(corners, weights, strict=True))
        for label in corners
    ]
    best = np.maximum.reduce(scores)
    found = np.full(best.shape, HIGHER_THAN_ANY, np.uint8)
    nearest = source[tuple(axis.nearest[index] for axis, index in zip(axes, voxels, strict=True))]
    nearest_ties = np.zeros(best.shape, bool)
    for label, score in zip(corners, scores, strict=True):
        np.minimum(found, label, out=found, where=score == best)
        nearest_ties |= (score == best) & (label == nearest)
    return np.where(nearest_ties, nearest, found)
