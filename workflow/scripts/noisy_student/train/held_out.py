"""What a fold makes of the hand-labelled scans that it did not learn from: label maps, and their DSC."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK as sitk

from noisy_student import nnunet
from noisy_student.files import read_json
from noisy_student.geometry import CANONICAL_ORIENTATION
from noisy_student.images import read_image
from noisy_student.model.label_files import write_label_map
from noisy_student.model.predictor import Predictor
from noisy_student.model.scores import class_counts, dsc
from noisy_student.sparse import judged_alone
from noisy_student.tables import read_table, write_table
from noisy_student.train.origins import BY_HAND

TABLE = "held_out.tsv"
FOLDER = "held_out"
COLUMNS = ("case", "label", "organ", "DSC")


@dataclass(frozen=True)
class HandLabels:
    """A scan's label map by hand, corrected pseudo-labels too, and the labels of the organs that are labelled in it."""

    label_map: Path
    labelled: frozenset[int]


def hand_labels(dataset: Path, organs: Mapping[str, int]) -> dict[str, HandLabels]:
    """Those of each scan that a round's dataset has by hand; `organs` (name → label) are all that there may be."""
    table = read_table(dataset / "training_set.tsv", ["case", "origin", "label_map"])
    table = table[table.origin.isin(BY_HAND)]
    # The column is there if any scan is partly labelled.
    named = table["organs"].fillna("") if "organs" in table else [", ".join(organs)] * len(table)
    return {
        case: HandLabels(Path(label_map), frozenset(organs[name] for name in names.split(", ") if name))
        for case, label_map, names in zip(table.case, table.label_map, named, strict=True)
    }


def held_out_cases(dataset: Path, fold: int) -> list[str]:
    """The hand-labelled scans on which a fold validates."""
    return read_json(dataset / "splits_final.json")[fold]["val"]


def label_held_out(predictor: Predictor, dataset: Path, fold: int, output: Path, seed: int) -> pd.DataFrame:
    """Label the held-out scans of a round's dataset; write `held_out/<case>.nii.gz` and `held_out.tsv` to `output`.

    One row per case and organ; the DSC, on the scan's own voxels that are labelled, is undefined (empty) for an organ
    that these do not show, or that is not labelled in it. `seed` is that of the training, for the record.
    """
    by_hand = hand_labels(dataset, predictor.plan.organs)
    tables = [pd.DataFrame(columns=[*COLUMNS, "seed"])]
    for case in held_out_cases(dataset, fold):
        label_map = predictor.label(dataset / nnunet.CASES_FOLDER / case).label_map_zyx
        truth = by_hand[case].label_map
        write_label_map(label_map, truth, CANONICAL_ORIENTATION, output / FOLDER / f"{case}.nii.gz")
        scores = dsc_per_organ(sitk.GetArrayFromImage(read_image(truth)), label_map, predictor.plan.organs)
        tables.append(scores.assign(case=case, seed=seed)[[*COLUMNS, "seed"]])
    table = pd.concat([part for part in tables if len(part)] or tables, ignore_index=True)
    write_table(table, output / TABLE)
    return table


def dsc_per_organ(truth_zyx: np.ndarray, label_map_zyx: np.ndarray, organs: dict[str, int]) -> pd.DataFrame:
    """`label`, `organ` and `DSC` of each organ (name → label); undefined where the truth has none.

    Voxels that nobody labelled in the truth are not looked at.
    """
    classes = max(organs.values()) + 1
    truth_zyx, label_map_zyx = judged_alone(truth_zyx, label_map_zyx, classes)
    labels = list(organs.values())
    values = np.where(class_counts(truth_zyx, classes) > 0, dsc(truth_zyx, label_map_zyx, classes), np.nan)
    return pd.DataFrame({"label": labels, "organ": list(organs), "DSC": values[labels]})
