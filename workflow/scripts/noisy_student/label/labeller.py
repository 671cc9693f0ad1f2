"""Models that label scans as they come: preprocessed on the way, seen as the model wants them, canonical at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import SimpleITK as sitk
import torch

from noisy_student.configuration.prediction_options import MADE_BY, Prediction
from noisy_student.errors import InputError
from noisy_student.geometry import PATIENT_AXES, canonical_array, canonical_box, reorient
from noisy_student.label.vote import Opinion, vote
from noisy_student.model.label_files import Labelled
from noisy_student.model.model_folder import joined, read_model
from noisy_student.model.postprocessing import Steps
from noisy_student.model.predictor import Logits, Predictor
from noisy_student.model.scores import dsc
from noisy_student.model.translation import Translation, translation
from noisy_student.model.voxel_confidence import counts_by_confidence
from noisy_student.organs import Organ, organ_called
from noisy_student.plan.preprocessing import Plan, preprocessed_image


@dataclass(frozen=True)
class Seen:
    """A scan as a network sees it: nnU-Net's properties, and where its axes (x, y, z) grow to."""

    image: torch.Tensor
    properties: dict[str, Any]
    letters: str


@dataclass(frozen=True)
class Predicted:
    """What the networks say of it."""

    logits: Logits
    properties: dict[str, Any]
    letters: str


class Labeller:
    """One model. With a `meaning` its labels become the label table's, whose `organs` it then speaks of."""

    def __init__(self, predictor: Predictor, meaning: Translation | None = None, organs: Sequence[Organ] = ()) -> None:
        self.predictor, self.meaning, self.organs = predictor, meaning, organs

    @property
    def made_by(self) -> str:
        """What its label maps are made by, once there is one."""
        return self.predictor.made_by

    @property
    def knows_one_order(self) -> bool:
        """Whether scans have to be stored along the axes that it was trained on (`Model.knows_one_order`)."""
        return self.predictor.knows_one_order

    @property
    def table(self) -> list[Organ]:
        """What the labels of its label maps mean."""
        own = self.predictor.plan.organs
        return list(self.organs) or [organ_called(name, label) for name, label in own.items()]

    def spacings(self, letters: str) -> list[tuple[float, float, float]]:
        """The network's spacing in mm along the patient's (z, y, x), for a scan stored towards `letters`."""
        return [spacing_along_patient(self.predictor.plan, self._letters(letters))]

    def _letters(self, stored: str) -> str:
        """Where the axes run that the network sees."""
        return self.predictor.orientation or stored

    def warm(self) -> None:
        """Get the networks ready, as far as that needs no scan."""
        self.predictor.warm()

    def read(self, image: sitk.Image, letters: str) -> Seen:
        """Preprocess a scan, given in canonical orientation, that is stored towards `letters`."""
        letters = self._letters(letters)
        array, properties = preprocessed_image(reorient(image, letters), self.predictor.plan)
        return Seen(self.predictor.on_host(array), properties, letters)

    def predict(self, seen: Seen) -> Predicted:
        """Run the networks."""
        return Predicted(self.predictor.predict(seen.image), seen.properties, seen.letters)

    def labelled(self, predicted: Predicted, voxels: bool = False, soft: bool = False) -> Labelled:
        """The label map, and if wanted its `voxels`' confidence and `soft` labels, in canonical orientation."""
        found = self.predictor.labelled(predicted.logits, predicted.properties, voxels, self.meaning, soft)
        label_map = np.ascontiguousarray(canonical_array(found.label_map_zyx, predicted.letters))
        backward = self.predictor.plan.manager.transpose_backward

        def turned(on_grid: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(canonical_array(on_grid.transpose(backward), predicted.letters))

        confidence, soft_labels = found.confidence_zyx, found.soft_labels
        canonical = replace(
            found,
            label_map_zyx=label_map,
            confidence_zyx=None if confidence is None else turned(confidence),
            soft_labels=None if soft_labels is None else np.stack(list(map(turned, soft_labels))),
        )
        return self._translated(canonical) if self.meaning else canonical

    def _translated(self, found: Labelled) -> Labelled:
        """The same in the label table's labels; rows of scores of those organs alone that the model marks."""
        theirs = {ours: label for label, ours in self.meaning.numbers.items()}
        rows = [
            found.scores[found.scores.label == theirs[organ.label]].assign(label=organ.label, organ=organ.name)
            for organ in self.organs
            if organ.label in theirs
        ]
        counts = found.confidence_counts
        if counts is not None:
            counts = np.zeros((max(theirs) + 1, counts.shape[1]), int)
            counts[list(theirs)] = found.confidence_counts[list(theirs.values())]
        return Labelled(
            self.meaning.of_each_label[found.label_map_zyx],
            pd.concat(rows, ignore_index=True),
            found.confidence_zyx,
            bool(self.meaning.unknown),
            found.soft_labels,
            counts,
        )

    def crop(self, predicted: Predicted) -> tuple[slice, ...]:
        """The box (z, y, x) of the canonical scan that nnU-Net crops to."""
        backward = self.predictor.plan.manager.transpose_backward
        shape, box = (predicted.properties[name] for name in ("shape_before_cropping", "bbox_used_for_cropping"))
        own = [slice(*map(int, box[axis])) for axis in backward]
        return canonical_box(own, [shape[axis] for axis in backward], predicted.letters)


class Vote:
    """Several models whose labels or grids differ: each labels by itself, and a voxel has the label that most give."""

    def __init__(self, labellers: Sequence[Labeller], organs: Sequence[Organ]) -> None:
        self.labellers, self.organs = labellers, organs

    @property
    def made_by(self) -> str:
        """What the least exact of its models' label maps are made by."""
        return max((labeller.made_by for labeller in self.labellers), key=MADE_BY.index)

    @property
    def knows_one_order(self) -> bool:
        """Whether that is true of any of its models."""
        return any(labeller.knows_one_order for labeller in self.labellers)

    @property
    def table(self) -> list[Organ]:
        """What the labels of its label maps mean."""
        return list(self.organs)

    def spacings(self, letters: str) -> list[tuple[float, float, float]]:
        """Each network's, as `Labeller.spacings`."""
        return [spacing for labeller in self.labellers for spacing in labeller.spacings(letters)]

    def warm(self) -> None:
        """Get the networks ready, as far as that needs no scan."""
        for labeller in self.labellers:
            labeller.warm()

    def read(self, image: sitk.Image, letters: str) -> list[Seen]:
        """Preprocess a scan for each model, as `Labeller.read`."""
        return [labeller.read(image, letters) for labeller in self.labellers]

    def predict(self, seen: list[Seen]) -> list[tuple[Labelled, tuple[slice, ...]]]:
        """Each model's label map; the logits of one at a time are held."""
        return [self._labelled(labeller, own) for labeller, own in zip(self.labellers, seen, strict=True)]

    @staticmethod
    def _labelled(labeller: Labeller, seen: Seen) -> tuple[Labelled, tuple[slice, ...]]:
        predicted = labeller.predict(seen)
        return labeller.labelled(predicted, voxels=True), labeller.crop(predicted)

    def labelled(
        self, predicted: list[tuple[Labelled, tuple[slice, ...]]], voxels: bool = False, soft: bool = False
    ) -> Labelled:
        """What most of them say; the confidence of its `voxels` is on the scan's own grid, within nnU-Net's crop.

        Raises InputError where `soft` labels are wanted: those that vote have no probabilities in common.
        """
        if soft:
            raise InputError(
                "models that label by their mean, for soft labels",
                "models whose labels or grids differ, which vote",
                "name models of one plan, or label without soft labels",
            )
        opinions = [
            Opinion(found.label_map_zyx, found.confidence_zyx, frozenset(found.scores.label), found.undecided)
            for found, _ in predicted
        ]
        label_map, confidence = vote(opinions, predicted[0][1])
        scores = self._scores([found for found, _ in predicted], label_map)
        if not voxels:
            return Labelled(label_map, scores, undecided=True)
        counts = counts_by_confidence(label_map[predicted[0][1]], confidence, len(self.organs) + 1)
        return Labelled(label_map, scores, confidence, undecided=True, confidence_counts=counts)

    def _scores(self, found: list[Labelled], label_map: np.ndarray) -> pd.DataFrame:
        """The models' scores on average, voxels and volume of the label map, agreement between the models."""
        every = pd.concat([labelled.scores for labelled in found])
        voxel_ml = (every.volume_ml / every.voxels).max()
        counts = np.bincount(label_map.ravel(), minlength=len(self.organs) + 1)
        agreement = self._agreement(found)
        rows = []
        for organ in self.organs:
            own = every[every.label == organ.label]
            if len(own):
                means = own.drop(columns=["label", "organ"]).astype(float).mean()
                voxels = int(counts[organ.label])
                measured = {"voxels": voxels, "volume_ml": voxels * voxel_ml if voxels else 0.0}
                if not voxels:
                    measured |= {"mean_max_probability": np.nan, "mean_entropy": np.nan}
                shared = {"fold_agreement": agreement[organ.label]} if organ.label in agreement else {}
                rows.append({"label": organ.label, "organ": organ.name, **means, **measured, **shared})
        return pd.DataFrame(rows)[list(every.columns)]

    def _agreement(self, found: list[Labelled]) -> dict[int, float]:
        """Mean DSC of each organ over all pairs of models that both mark it."""
        values: dict[int, list[float]] = {}
        for first, second in combinations(found, 2):
            alike = dsc(first.label_map_zyx, second.label_map_zyx, len(self.organs) + 1)
            for label in set(first.scores.label) & set(second.scores.label):
                values.setdefault(label, []).append(float(alike[label]))
        return {label: float(np.mean(some)) for label, some in values.items()}


def labeller_of(
    models: Sequence[Sequence[Path]],
    options: Prediction,
    device: torch.device,
    organs: Sequence[Organ] | None = None,
    steps: Steps = (),
) -> Labeller | Vote:
    """What labels with models, each given by its folds' checkpoints, in the labels of `organs`.

    Several that share labels and grid label by their mean, others by vote; without `organs` the first model's are those
    of all. Alone, a model without `organs` keeps its labels. Raises InputError for `steps` of models with other labels.
    """
    loaded = {checkpoints[0].parents[1]: read_model(checkpoints) for checkpoints in models}
    first, *others = loaded.values()
    if all(model.grid == first.grid for model in others):
        loaded = {next(iter(loaded)): joined([first, *others])}
    if steps and any(model.plan.organs != first.plan.organs for model in others):
        raise InputError(
            "post-processing for one model, or for models with the same labels, by whose numbers it goes",
            f"{len(loaded)} models with different labels",
            "leave --postprocessing out, or label with one of the models",
        )
    if organs is None and len(loaded) > 1:
        organs = [organ_called(name, label) for name, label in first.plan.organs.items()]
    labellers = []
    for name, model in loaded.items():
        meaning = translation(model.plan.organs, organs, name) if organs is not None else None
        labellers.append(Labeller(Predictor(model, options, device, steps), meaning, organs or ()))
    return labellers[0] if len(labellers) == 1 else Vote(labellers, organs)


def spacing_along_patient(plan: Plan, letters: str) -> tuple[float, float, float]:
    """The network's spacing in mm along the patient's (z, y, x), for a scan whose x, y and z run towards `letters`."""
    along = {PATIENT_AXES[letter]: plan.spacing_mm_zyx[2 - axis] for axis, letter in enumerate(letters)}
    return along[2], along[1], along[0]
