"""A labelled scan in which only some organs are labelled, with the others from a teacher. Hand labels always win."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from noisy_student.model.soft_labels import FIRST, SECOND, SHARE, WHOLE

# Of an organ's usual volume: a teacher that found less of it than this has not found it.
FOUND = 0.5


def not_found(organs: Iterable[str], found_ml: Mapping[str, float], usual_ml: Mapping[str, float]) -> tuple[str, ...]:
    """Those of the `organs` of which a teacher found less than half of the usual volume; volumes are in ml.

    An organ whose usual volume is not known counts as found where there is any of it.
    """
    return tuple(organ for organ in organs if found_ml.get(organ, 0) <= FOUND * usual_ml.get(organ, 0))


def filled(
    hand_zyx: np.ndarray, taught: np.ndarray, labels: Collection[int], code: int, background: int = 0
) -> np.ndarray:
    """What a teacher taught, (1, z, y, x) or soft (3, z, y, x), where hand-labelled background may be one of `labels`.

    Where the teacher's first class is not among these, as where the teacher is not trusted, the voxel is the set of
    `labels`: its `code`. Where its second is not, the first has the whole share. `background`: what the teacher's is
    read as, the code of a smaller set where it has not found all organs.
    """
    if background:
        classes = taught[: SECOND + 1]
        taught = np.concatenate([np.where(classes > 0, classes, background).astype(taught.dtype), taught[SHARE:]])
        labels = [*labels, background]
    first = taught[FIRST]
    by_hand = hand_zyx > 0
    is_taught = _among(first, labels) & ~by_hand
    one = np.where(by_hand, hand_zyx, np.where(is_taught, first, code)).astype(taught.dtype)
    if len(taught) == 1:
        return one[None]
    second = taught[SECOND]
    is_soft = is_taught & _among(second, labels)
    share = np.where(is_soft, taught[SHARE], WHOLE).astype(taught.dtype)
    return np.stack([one, np.where(is_soft, second, one), share])


def _among(labels_zyx: np.ndarray, labels: Collection[int]) -> np.ndarray:
    """Which voxels have one of `labels`; outside of the crop is background."""
    return np.isin(labels_zyx.clip(min=0), list(labels))
