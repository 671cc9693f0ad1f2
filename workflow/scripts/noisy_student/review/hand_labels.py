"""Hand labels that the folds which held them out contradict more than usual: mistakes hide among these."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk

from noisy_student.geometry import voxel_volume_ml
from noisy_student.images import read_image
from noisy_student.model.scores import class_counts
from noisy_student.organs import Organ
from noisy_student.review.places import ml_text
from noisy_student.sparse import judged_alone

# Less than this below an organ's usual DSC is what one scan differs from another.
USUAL = 0.1


@dataclass(frozen=True)
class HeldOut:
    """A scan with the label map that the fold which held it out gave it, and its hand label.

    `labelled`: the labels of the organs that are labelled in it by hand.
    """

    case: str
    label_map: Path
    by_hand: Path
    labelled: Collection[int]


def contradictions(held_out: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    """The held-out scans (index `case`), the most contradicted first: `contradiction`, and which `organs`, in words.

    `held_out` has the DSC per case and organ, `measured` the volumes by hand and by the fold, of organs that are
    labelled there. An organ counts by how far its DSC lies below its median over the scans, less `USUAL`, and by 1
    where the hand label has none of it, but the fold finds at least half as much as the smallest that is labelled
    anywhere in a scan of which all voxels are (`is_whole`).
    """
    table = held_out.merge(measured, on=["case", "label"])
    least = table[(table.by_hand_ml > 0) & table.is_whole].groupby("label").by_hand_ml.min()
    short = table.groupby("label").DSC.transform("median") - USUAL - table.DSC
    is_lacking = (table.by_hand_ml == 0) & (table.found_ml >= table.label.map(least) / 2)
    table["contradiction"] = np.where(is_lacking, 1.0, short.clip(lower=0).fillna(0))
    rows = []
    for case, organs in table.groupby("case"):
        wrong = organs[organs.contradiction > 0].sort_values("contradiction", ascending=False, kind="stable")
        rows.append((case, organs.contradiction.sum(), "; ".join(map(_in_words, wrong.itertuples())), len(wrong)))
    found = pd.DataFrame(rows, columns=["case", "contradiction", "organs", "contradicted"])
    return found.sort_values(["contradiction", "case"], ascending=[False, True]).set_index("case")


def _in_words(row: object) -> str:
    if not row.by_hand_ml:
        return f"{row.organ}: not labelled, {ml_text(row.found_ml)} ml found"
    return f"{row.organ}: DSC {row.DSC:.2f}, {ml_text(row.by_hand_ml)} ml by hand, {ml_text(row.found_ml)} ml found"


def volumes(scan: HeldOut, organs: Sequence[Organ]) -> pd.DataFrame:
    """The volume of each labelled organ by hand and as the fold found it: `case`, `label`, `by_hand_ml`, `found_ml`.

    Both are of the voxels that are labelled; `is_whole`: all are.
    """
    images = read_image(scan.by_hand), read_image(scan.label_map)
    voxel_ml = voxel_volume_ml(images[0].GetSpacing())
    classes = max(organ.label for organ in organs) + 1
    labels = [organ.label for organ in organs if organ.label in scan.labelled]
    hand_zyx, found_zyx = map(sitk.GetArrayViewFromImage, images)
    is_whole = not (hand_zyx == classes).any()
    both = judged_alone(hand_zyx, found_zyx, classes)
    by_hand, found = (class_counts(label_map, classes)[labels] for label_map in both)
    columns = {"label": labels, "by_hand_ml": by_hand * voxel_ml, "found_ml": found * voxel_ml, "is_whole": is_whole}
    return pd.DataFrame({"case": scan.case, **columns})
