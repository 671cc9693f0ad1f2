"""Where a teacher's label map may be wrong: how many ml, of which organs, on which slices.

A voxel's doubt is one less the teacher's confidence in its label, so that it is 1 where networks or mirrored copies
disagree: about the probability that the label is wrong. What is below `SLACK` is left out, since small doubts over all
of a body add up to more than the mistakes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

from noisy_student.model.soft_labels import SECOND
from noisy_student.model.voxel_confidence import PERCENT
from noisy_student.organs import Organ

SLACK = 0.05
# Of an organ's doubt, the slices that have this share of what its worst slice has need eyes.
SHARE_OF_WORST = 0.25
# Organs that together hold the first share of the doubt need eyes, and any whose doubt is the second of its volume.
SHARE_OF_ALL, SHARE_OF_ORGAN = 0.8, 0.33
# A rough guess of what it takes to open a scan and to close it, and to correct an organ over a cm of its length.
MINUTES_A_SCAN, MINUTES_A_CM = 2.0, 0.5


@dataclass(frozen=True)
class OrganDoubt:
    """How many ml of an organ are in doubt, those that it may lack included, and the scan's slices (z) to look at."""

    organ: Organ
    ml: float
    volume_ml: float
    slices: tuple[int, ...]

    @property
    def is_missing(self) -> bool:
        """Whether the teacher found nothing of it."""
        return not self.volume_ml


def weights() -> np.ndarray:
    """The doubt of each confidence, from 0 to 100 per cent."""
    return np.maximum(1 - np.arange(PERCENT + 1) / PERCENT - SLACK, 0)


def doubt_ml(confidence_zyx: np.ndarray, voxel_ml: float) -> float:
    """The volume in doubt of a whole scan: the sum over the voxels of the network's grid, each of `voxel_ml`."""
    counts = sum((np.bincount(part.ravel(), minlength=PERCENT + 1) for part in confidence_zyx), np.zeros(PERCENT + 1))
    return float(counts @ weights() * voxel_ml)


def by_organ(
    confidence_zyx: np.ndarray,
    labels_zyx: np.ndarray,
    soft: np.ndarray | None,
    organs: Sequence[Organ],
    voxel_ml: float,
) -> np.ndarray:
    """The volume in doubt by (organ, slice of the network's grid) in ml; all arrays are on that grid.

    Doubt in background is of the organ that the teacher finds second likeliest, where its soft labels are known, and
    otherwise of the nearest organ.
    """
    owner = labels_zyx.copy()
    if soft is not None:
        owner = np.where(owner == 0, soft[SECOND], owner)
    elif owner.any():
        nearest = distance_transform_edt(owner == 0, return_distances=False, return_indices=True)
        owner = owner[tuple(nearest)]
    doubts = weights()[confidence_zyx]
    largest = max(organ.label for organ in organs)
    slices = [
        np.bincount(own.ravel(), some.ravel(), largest + 1)[: largest + 1]
        for own, some in zip(owner, doubts, strict=True)
    ]
    return np.stack(slices, axis=1)[[organ.label for organ in organs]] * voxel_ml


def needing_eyes(
    ml_of_slices: np.ndarray,
    volumes_ml: Sequence[float],
    organs: Sequence[Organ],
    scan_slices: range,
    tells_missing: bool,
) -> list[OrganDoubt]:
    """The organs to look at, the one with most doubt first. `scan_slices`: those that the network's grid covers.

    An organ that was not found is one of them if any doubt is of it; where that cannot be, since doubt in background is
    of organs that were found, all are (`tells_missing` is false).
    """
    of_grid = ((np.arange(len(scan_slices)) + 0.5) * ml_of_slices.shape[1] / len(scan_slices)).astype(int)
    total, found = ml_of_slices.sum(), []
    order = np.argsort(-ml_of_slices.sum(axis=1), kind="stable")
    held = 0.0
    for number in order:
        ml, volume = float(ml_of_slices[number].sum()), volumes_ml[number]
        is_chief = ml > 0 and held < SHARE_OF_ALL * total
        if is_chief or ml > SHARE_OF_ORGAN * volume or not (volume or tells_missing):
            profile = ml_of_slices[number][of_grid]
            looked_at = np.flatnonzero((profile > 0) & (profile >= SHARE_OF_WORST * profile.max()))
            found.append(OrganDoubt(organs[number], ml, volume, tuple(scan_slices[place] for place in looked_at)))
        held += ml
    return found


def minutes(found: Sequence[OrganDoubt], slice_mm: float) -> float:
    """About how long it takes to look at these organs and to correct them."""
    length_cm = sum(len(organ.slices) for organ in found) * slice_mm / 10
    return MINUTES_A_SCAN + MINUTES_A_CM * length_cm
