"""What corrections changed of the label maps that were handed out, and how far two readers agree."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import SimpleITK as sitk

from noisy_student.correct.table import BY_ORGAN, CHANGED, CONFIRMED
from noisy_student.geometry import voxel_volume_ml
from noisy_student.images import read_canonical
from noisy_student.organs import Organ
from noisy_student.overlap import dice, slice_overlaps


def read_labels(path: Path) -> tuple[np.ndarray, float]:
    """A label map (z, y, x) in canonical orientation, and how many ml a voxel of it is."""
    image = read_canonical(path)
    return sitk.GetArrayFromImage(image), voxel_volume_ml(image.GetSpacing())


def changes(
    before_zyx: np.ndarray, after_zyx: np.ndarray, voxel_ml: float, organs: Sequence[Organ], corrected: Collection[int]
) -> pd.DataFrame:
    """One row for each of the `corrected` labels: its volumes, what was added and removed, in how many axial slices.

    Both label maps are of the same grid; other labels than the corrected ones are not compared.
    """
    rows = []
    for organ in (organ for organ in organs if organ.label in corrected):
        before, after = before_zyx == organ.label, after_zyx == organ.label
        added, removed = after & ~before, before & ~after
        volumes = zip(BY_ORGAN[4:8], (before, after, added, removed), strict=True)
        rows.append(
            {
                "label": organ.label,
                "organ": organ.name,
                **{name: np.count_nonzero(voxels) * voxel_ml for name, voxels in volumes},
                "voxels": np.count_nonzero(added | removed),
                "slices": np.count_nonzero((added | removed).any((1, 2))),
            }
        )
    return pd.DataFrame(rows)


def changed_slices(before_zyx: np.ndarray, after_zyx: np.ndarray, corrected: Collection[int]) -> int:
    """In how many axial slices any of the corrected labels was changed."""
    before, after = (np.where(np.isin(labels, list(corrected)), labels, 0) for labels in (before_zyx, after_zyx))
    return int(np.count_nonzero((before != after).any((1, 2))))


def in_short(by_organ: pd.DataFrame, slices: int) -> dict[str, Any]:
    """A correction in one row, from its rows by organ."""
    changed = by_organ[by_organ.voxels > 0]
    return {
        "state": CHANGED if len(changed) else CONFIRMED,
        "changed": ", ".join(changed.organ),
        "added_ml": by_organ.added_ml.sum(),
        "removed_ml": by_organ.removed_ml.sum(),
        "slices": slices,
    }


def agreement(
    by_reader: Mapping[str, tuple[np.ndarray, Collection[int]]], organs: Sequence[Organ]
) -> Iterator[dict[str, Any]]:
    """A row for each pair of readers of one scan and organ that both corrected; no DSC where neither has it.

    `by_reader`: the label map, and the labels that were corrected in it.
    """
    last = max(organ.label for organ in organs)
    for (one, (first, of_first)), (other, (second, of_second)) in combinations(by_reader.items(), 2):
        overlaps = slice_overlaps(first, second, last)
        found = overlaps.sum(0)
        for organ in (organ for organ in organs if organ.label in of_first and organ.label in of_second):
            label = organ.label
            is_there = found[label].any() or found[:, label].any()
            yield {
                "reader": one,
                "other_reader": other,
                "label": label,
                "organ": organ.name,
                "DSC": dice(overlaps, label) if is_there else None,
            }
