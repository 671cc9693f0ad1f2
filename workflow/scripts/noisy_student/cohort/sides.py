"""Left stays left: on which side of the patient paired organs lie."""

from collections.abc import Sequence

import numpy as np

from noisy_student.organs import Organ, sided_pairs


def swapped_pairs(label_map_zyx: np.ndarray, organs: Sequence[Organ]) -> list[tuple[Organ, Organ]]:
    """(right, left) organs on the wrong side of each other, in a canonical label map (z, y, x).

    In canonical orientation x grows to the patient's left, so a right organ has the smaller mean x.
    Pairs of which one organ is absent cannot be judged and are left out.
    """
    columns = np.arange(label_map_zyx.shape[2])
    swapped = []
    for pair in sided_pairs(organs):
        counts = [np.count_nonzero(label_map_zyx == organ.label, axis=(0, 1)) for organ in pair]
        if all(count.any() for count in counts):
            right, left = (np.average(columns, weights=count) for count in counts)
            if right > left:
                swapped.append(pair)
    return swapped
