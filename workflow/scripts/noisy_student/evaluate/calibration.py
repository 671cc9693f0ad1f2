"""How often a teacher is right at each confidence, voxel by voxel, where the truth of a scan is known."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from noisy_student.evaluate.by_name import Table
from noisy_student.evaluate.judged_pair import read_pair
from noisy_student.model.label_files import LabelFiles
from noisy_student.model.voxel_confidence import (
    BACKGROUND,
    UNDECIDED,
    counts_by_confidence,
    nearest_on_grid,
    read_confidence,
)
from noisy_student.organs import Organ
from noisy_student.plan.preprocessing import (
    LABELS,
    OUTSIDE,
    Plan,
    labels_on_grid,
    read_array,
    read_properties,
    with_suffix,
)

COLUMNS = ("confidence", "label", "organ", "voxels", "right", "share_right")


class Voxels(NamedTuple):
    """A pseudo-label beside its truth on a network's grid: arrays (z, y, x). `inside`: which voxels are in the crop."""

    truth: np.ndarray
    labels: np.ndarray
    confidence: np.ndarray
    inside: np.ndarray


def voxels_of(truth: Path, files: LabelFiles, preprocessed: Path, plan: Plan, table: Table) -> Voxels:
    """A scan's voxels on the grid of its `preprocessed` image; each has the confidence of the teacher's nearest one.

    `table`: what the names of organs mean in a truth that has names. Raises InputError for files that do not fit.
    """
    mask, properties = read_array(with_suffix(preprocessed, LABELS)), read_properties(preprocessed)
    pair = read_pair(truth, files.label_map, len(table.organs), table=table)
    on_grid = [labels_on_grid(zyx, mask, properties, plan)[0] for zyx in (pair.truth_zyx, pair.prediction_zyx)]
    inside = mask[0] != OUTSIDE
    return Voxels(*on_grid, nearest_on_grid(read_confidence(files.confidence), inside.shape), inside)


def count_right(
    voxels: Voxels, classes: int, labelled: Collection[int], marked: Collection[int], undecided: bool
) -> np.ndarray:
    """How many voxels of each label have each confidence, and how many of these are right: int (2, label, per cent).

    Of `classes` labels, background (0) among them. Organs that are `labelled` in the truth count, and background where
    all are. Organs that the teacher does not mark are part of its background. `undecided`: background of confidence 0
    is what it found no label for, and does not count.
    """
    found = np.maximum(voxels.labels, 0)
    truth = np.where(np.isin(voxels.truth, list(marked)), voxels.truth, 0)
    known = [*labelled, *([0] if len(labelled) == classes - 1 else [])]
    is_known = np.isin(found, known) & voxels.inside
    if undecided:
        is_known &= (found > 0) | (voxels.confidence != UNDECIDED)
    parts = is_known, is_known & (found == truth)
    # What does not count has a label of its own, which is left out.
    counts = [counts_by_confidence(np.where(part, found, classes), voxels.confidence, classes + 1) for part in parts]
    return np.stack(counts)[:, :classes]


def as_table(counts: np.ndarray, organs: Sequence[Organ]) -> pd.DataFrame:
    """The same summed over scans as a table: a row for each label and confidence in whole per cent that voxels have."""
    names = {0: BACKGROUND} | {organ.label: organ.name for organ in organs}
    voxels, right = counts
    rows = [
        (percent, label, names[label], voxels[label, percent], right[label, percent])
        for label, percent in zip(*np.nonzero(voxels), strict=True)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS[:-1]))
    return table.assign(share_right=table.right / table.voxels)
