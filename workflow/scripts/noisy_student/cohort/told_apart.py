"""Right and left organs that a dataset has under one number, told apart by the side of the body on which they lie.

Of KiTS and AbdomenCT-1K, whose label maps have kidneys without a side. Where a piece lies across the middle, as a
horseshoe kidney does, or all on one side, nothing is guessed: the pair is not labelled in that scan.
"""

from collections.abc import Sequence

import cc3d
import numpy as np
import SimpleITK as sitk

from noisy_student.boxes import box_of
from noisy_student.configuration.numbering import Numbers, is_one_number
from noisy_student.geometry import image_like
from noisy_student.organs import Organ, sided_pairs
from noisy_student.reading.volume import Remark

# Fat and all that is denser.
BODY_ABOVE_HU = -300
# Pieces of at least this share of both organs have to lie on one side with at least that share of their voxels.
LARGE, ON_ONE_SIDE = 0.1, 0.95


def told_apart(
    label_map: sitk.Image, scan: sitk.Image, numbers: Numbers | None, organs: Sequence[Organ]
) -> tuple[sitk.Image, list[int], list[Remark]]:
    """The label map with each organ under its own label, which labels could not be told apart, and warnings of these.

    `label_map` is in the table's numbers, both organs of a pair under the later one's, on the scan's canonical grid.
    """
    pairs = [(right, left) for right, left in sided_pairs(organs) if is_one_number(numbers or {}, right)]
    if not pairs:
        return label_map, [], []
    labels_zyx, voxels_zyx = sitk.GetArrayFromImage(label_map), sitk.GetArrayViewFromImage(scan)
    unclear: list[int] = []
    remarks: list[Remark] = []
    for right, left in pairs:
        shared = max(right.label, left.label)
        box = box_of(labels_zyx == shared)
        organs_zyx = labels_zyx[box]
        both = organs_zyx == shared
        is_left = _left_one(both, _middle(voxels_zyx[box[0]]) - box[2].start) if both.any() else both
        organs_zyx[both] = 0
        if is_left is None:
            unclear += [right.label, left.label]
            remarks.append(_unclear(right, left))
        else:
            organs_zyx[both] = np.where(is_left[both], left.label, right.label)
    return image_like(labels_zyx, label_map), unclear, remarks


def _middle(slices_zyx: np.ndarray) -> float:
    """The middle of the body along x, in voxels, as the mean over some slices."""
    counts = sum(np.count_nonzero(slice_yx > BODY_ABOVE_HU, axis=0) for slice_yx in slices_zyx)
    return float(np.average(np.arange(len(counts)), weights=counts)) if counts.any() else (len(counts) - 1) / 2


def _left_one(both_zyx: np.ndarray, middle: float) -> np.ndarray | None:
    """Where the left organ is of both; None where it cannot be told. x grows to the patient's left."""
    # As numbers: of a thin binary mask cc3d expects fewer pieces than there may be, and fails.
    pieces, count = cc3d.connected_components(both_zyx.view(np.uint8), connectivity=26, return_N=True)
    beyond = pieces[..., np.arange(pieces.shape[2]) > middle]
    sizes, on_left = (np.bincount(some.ravel(), minlength=count + 1)[1:] for some in (pieces, beyond))
    share, is_large = on_left / sizes, sizes >= LARGE * sizes.sum()
    is_across = (share < ON_ONE_SIDE) & (share > 1 - ON_ONE_SIDE)
    is_left = share > 1 / 2
    is_one_sided = is_large.sum() > 1 and is_left[is_large].all() == is_left[is_large].any()
    if is_across[is_large].any() or is_one_sided:
        return None
    return np.concatenate([[False], is_left])[pieces]


def _unclear(right: Organ, left: Organ) -> Remark:
    found = f"{right.name} and {left.name}, which have one number, cannot be told apart by their side"
    remedy = "nothing: both count as not labelled in this scan; or give each its number"
    return Remark("sides", found, "each piece on one side of the middle, and both sides taken by several", remedy)
