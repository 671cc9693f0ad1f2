"""Left stays left: on which side of the patient paired organs lie."""

import numpy as np

from noisy_student.organs import FLARE22, SIDED_PAIRS

_NAMES = {organ.label: organ.name for organ in FLARE22}


def swapped_labels(label_map_zyx: np.ndarray) -> list[tuple[int, int]]:
    """Labels (right, left) of paired organs on the wrong side of each other, in a canonical label map (z, y, x).

    In canonical orientation x grows to the patient's left, so a right organ has the smaller mean x.
    Pairs of which one organ is absent cannot be judged and are left out.
    """
    columns = np.arange(label_map_zyx.shape[2])
    swapped = []
    for pair in SIDED_PAIRS:
        counts = [np.count_nonzero(label_map_zyx == label, axis=(0, 1)) for label in pair]
        if all(count.any() for count in counts):
            right, left = (np.average(columns, weights=count) for count in counts)
            if right > left:
                swapped.append(pair)
    return swapped


def swapped_pairs(label_map_zyx: np.ndarray) -> list[str]:
    """The same as the pairs' names."""
    return [" and ".join(_NAMES[label] for label in pair) for pair in swapped_labels(label_map_zyx)]
