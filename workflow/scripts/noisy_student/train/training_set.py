"""The dataset of one round: images linked from the cache, label maps brought onto their grid, fixed folds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import SimpleITK as sitk

from noisy_student.deal import held_out as held_out_by_fold
from noisy_student.errors import InputError
from noisy_student.files import link, sha256
from noisy_student.images import read_canonical
from noisy_student.model.soft_labels import SECOND, hard, read_soft_labels
from noisy_student.model.voxel_confidence import UNDECIDED, nearest_on_grid, read_confidence, unsure_voxels
from noisy_student.plan.preprocessing import (
    ARRAY,
    LABELS,
    MADE_FROM,
    PROPERTIES,
    Plan,
    labels_on_grid,
    read_array,
    read_properties,
    require_whole,
    with_suffix,
    write_array,
    write_properties,
)
from noisy_student.sparse import IGNORE
from noisy_student.train.class_locations import class_locations
from noisy_student.train.filling import filled
from noisy_student.train.label_sets import LabelSets
from noisy_student.train.learned_from import learned_from
from noisy_student.train.masking import mask_organs, mask_voxels, near_found
from noisy_student.train.origins import PSEUDO, filled_name

# Of a case's properties: what it teaches of each label, and where nnU-Net's loader looks for voxels of each class.
LEARNED_FROM, LOCATIONS = "learned_from", "class_locations"


@dataclass(frozen=True)
class Example:
    """A scan that a round learns from, whose label map it has (an `origin`), and what of it is left out of the loss.

    That is the organs `masked`, and voxels whose confidence in the map `voxels` (none if there is no such map) is below
    `least_confidence`, a bound for each organ of the case and for background; and all background where the teacher is
    `lacking` organs, which may lie in it. `confidence` is the teacher's of the scan, from 0 to 1; a hand-labelled scan
    has none. `soft`: the teacher's soft labels. `surfaces`: within so many mm of these organs background that may be
    theirs is learned from, however unsure; if any is `undecided`, where its confidence is 0, that is not.

    Of a hand-labelled scan the organs `unlabelled` are not labelled: its background may be any of them. Of such a scan
    that a teacher has filled, `label_map` is the teacher's and `by_hand` that of the hand labels; what would be left
    out of the loss is then as the hand labels have it, and the teacher's background may be any of the organs `missed`.
    """

    case: str
    origin: str
    label_map: Path
    preprocessed: Path
    masked: tuple[str, ...] = ()
    confidence: float | None = None
    voxels: Path | None = None
    least_confidence: Mapping[str, float] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    soft: Path | None = None
    surfaces: tuple[float, tuple[str, ...]] = (0.0, ())
    undecided: bool = False
    unlabelled: tuple[str, ...] = ()
    by_hand: Path | None = None
    missed: tuple[str, ...] = ()

    @property
    def ignored(self) -> str:
        """What is left out of the loss, in words."""
        bounds = ", ".join(f"{name} below {bound:g}" for name, bound in self.least_confidence.items() if bound)
        unsure = f"{bounds} in {sha256(self.voxels)}" if self.voxels else ""
        near_mm, organs = self.surfaces
        if unsure and organs:
            unsure += f" but for {near_mm:g} mm around {' and '.join(organs)} in {sha256(self.soft)}"
        without = self.missed if self.by_hand else self.lacking
        unknown = f"background, without {' and '.join(without)}" if without else ""
        return ", ".join([*self.masked, *filter(None, [unsure, unknown])]) or "nothing"


def label_sets(examples: Iterable[Example], plan: Plan) -> LabelSets:
    """The sets of labels that background of partly labelled scans may have, by hand and where a teacher filled them.

    Where there are more than codes, background of the filled scans whose sets are the rarest is as by hand.
    """
    partly = [example for example in examples if example.unlabelled]
    by_hand = [_may_be(example.unlabelled, plan) for example in partly]
    filled_in = [_may_be(example.missed, plan) for example in partly if example.missed]
    return LabelSets.of(by_hand, plan.classes, filled_in)


def _may_be(organs: Iterable[str], plan: Plan) -> list[int]:
    return [0, *(plan.organs[organ] for organ in organs)]


def _code_of_missed(example: Example, plan: Plan, sets: LabelSets) -> int:
    """What the teacher's background of a filled scan is: a set, or background where it missed no organ."""
    missed = _may_be(example.missed, plan)
    return sets.code_of(missed if missed in sets else _may_be(example.unlabelled, plan)) if example.missed else 0


def add_example(
    example: Example, folder: Path, plan: Plan, soft: bool = False, sets: LabelSets | None = None
) -> dict[str, str]:
    """Write one case of the round's dataset, unless it is there for this very scan and label map; its row.

    The image is linked, not copied. Labels are (1, z, y, x); of a round with `soft` targets all are (3, z, y, x), as
    those are. Partly labelled scans need the `sets` of the dataset. The properties come last, so a case that has them
    is whole.
    """
    target = folder / example.case
    checksum = sha256(example.label_map)
    properties = read_properties(example.preprocessed)
    made_from = f"{properties[MADE_FROM]}, label map {checksum}"
    ignore = plan.dataset["labels"].get(IGNORE)
    if ignore is not None or example.by_hand:
        made_from += f", ignored: {example.ignored}"
    if soft:
        made_from += f", soft targets of {sha256(example.soft) if example.soft else 'hard labels'}"
    if example.unlabelled:
        may_be = _may_be(example.unlabelled, plan)
        code, background = sets.code_of(may_be), _code_of_missed(example, plan, sets)
        hand_labels = sha256(example.by_hand or example.label_map)
        made_from += f", hand labels {hand_labels} without {' and '.join(example.unlabelled)} as {code}"
        if example.by_hand:
            made_from += f", the teacher's background as {background}"
    names = {0: "background"} | {label: organ for organ, label in plan.organs.items()}
    found = _learned(target, example.preprocessed, made_from, names)
    if found is None:
        require_whole(with_suffix(example.preprocessed, ARRAY))
        with_suffix(target, PROPERTIES).unlink(missing_ok=True)
        mask = read_array(with_suffix(example.preprocessed, LABELS))
        on_grid = _on_grid(example.label_map, mask, properties, plan)
        soft_labels = read_soft_labels(example.soft) if example.soft else None
        labels = _trusted(example, on_grid, soft_labels, plan)
        if example.unlabelled and not example.by_hand:
            labels = mask_voxels(labels, labels[0] <= 0, code)
        if soft:
            labels = hard(labels) if soft_labels is None else soft_targets(labels, soft_labels, plan.classes)
        if example.by_hand:
            hand = _on_grid(example.by_hand, mask, properties, plan)
            labels = filled(hand[0], labels, may_be, code, background)
            # A voxel that stays a set counts as what the teacher, had it been trusted, could have filled there.
            untaught = np.where(np.isin(on_grid, may_be), on_grid, 0)
            on_grid = np.where(labels[:1] > plan.classes, untaught, labels[:1])
        link(with_suffix(example.preprocessed, ARRAY), with_suffix(target, ARRAY))
        write_array(labels, with_suffix(target, LABELS), plan.configuration.patch_size)
        found = {
            LOCATIONS: class_locations(labels[:1], plan),
            LEARNED_FROM: learned_from(on_grid[0], labels, plan.classes, names),
            MADE_FROM: made_from,
        }
        write_properties(properties | found, target)
    return {
        "case": example.case,
        "origin": example.origin,
        "label_map": str(example.label_map),
        "sha256": checksum,
        "masked": ", ".join(example.masked),
        "found": ", ".join(organ for organ, label in plan.organs.items() if len(found[LOCATIONS][label])),
        "confidence": example.confidence,
        "made_from": made_from,
    }


def _on_grid(path: Path, mask: np.ndarray, properties: Mapping[str, Any], plan: Plan) -> np.ndarray:
    label_map = read_canonical(path)
    # Above all organs: of what nobody labelled by hand, where a dataset has such voxels.
    return labels_on_grid(sitk.GetArrayFromImage(label_map), mask, properties, plan, unlabelled=plan.classes)


def _trusted(example: Example, labels: np.ndarray, soft_labels: np.ndarray | None, plan: Plan) -> np.ndarray:
    """A label map (1, z, y, x) in which what is not trusted is the ignore label, whether the dataset has it or not."""
    ignore = plan.classes
    if example.masked:
        untrusted = [plan.organs[organ] for organ in example.masked]
        labels = mask_organs(labels, untrusted, ignore, plan.configuration.spacing)
    if example.voxels:
        confidence = read_confidence(example.voxels)
        least = np.zeros(plan.classes + 1)
        for name, bound in example.least_confidence.items():
            least[plan.dataset["labels"][name]] = bound
        unsure = unsure_voxels(confidence, labels[0], least)
        near_mm, organs = example.surfaces
        if organs:
            runner_up = nearest_on_grid(soft_labels[SECOND], labels.shape[1:])
            large = [plan.organs[organ] for organ in organs]
            near = near_found(runner_up, labels[0], large, plan.configuration.spacing, near_mm)
            if example.undecided:
                near &= nearest_on_grid(confidence, labels.shape[1:]) != UNDECIDED
            unsure &= ~near
        labels = mask_voxels(labels, unsure, ignore)
    return mask_voxels(labels, labels[0] <= 0, ignore) if example.lacking and not example.by_hand else labels


def whose_labels(example: Example, organs: Iterable[str]) -> dict[str, str]:
    """`organs` that are labelled by hand in a case, and those that a teacher found there, `filled`; else none."""
    is_by_hand = example.origin != PSEUDO
    by_hand = [organ for organ in organs if is_by_hand and organ not in example.unlabelled]
    filled = [organ for organ in example.unlabelled if example.by_hand and organ not in example.missed]
    return {"organs": ", ".join(by_hand), "filled": ", ".join(filled)}


def what_is_learned(example: Example, folder: Path) -> list[dict[str, Any]]:
    """The rows of `learned_from` of a case that `add_example` wrote, with the case and its origin."""
    rows = read_properties(folder / example.case)[LEARNED_FROM]
    return [{"case": example.case, "origin": example.origin} | row for row in rows]


def soft_targets(labels: np.ndarray, soft: np.ndarray, ignore: int) -> np.ndarray:
    """A teacher's soft labels as targets on the grid of the labels (1, z, y, x) that are made of them: (3, z, y, x).

    Both grids cover the same crop; each voxel has the soft label of the teacher's nearest one. What is `ignore`, or
    outside of the crop, stays so. A label that is neither of the two classes is hard.
    """
    found = np.stack([nearest_on_grid(channel, labels.shape[1:]) for channel in soft]).astype(labels.dtype)
    label = labels[0]
    differs = (label == ignore) | (label < 0) | ~((label == found[0]) | (label == found[1]))
    return np.where(differs, hard(labels), found)


def _learned(target: Path, preprocessed: Path, made_from: str, names: Mapping[int, str]) -> dict[str, Any] | None:
    """A case's properties, if it is whole, made from this with these `names` of labels, and has that very image."""
    image = with_suffix(target, ARRAY)
    try:
        require_whole(image)
        require_whole(with_suffix(target, LABELS))
        properties = read_properties(target)
        is_this = properties[MADE_FROM] == made_from and image.samefile(with_suffix(preprocessed, ARRAY))
        known = {row["label"]: row["organ"] for row in properties[LEARNED_FROM]}
        return properties if is_this and known == dict(names) and LOCATIONS in properties else None
    except (InputError, OSError, KeyError):
        return None


def remove_others(folder: Path, cases: Sequence[str]) -> None:
    """Delete files of cases that this round does not learn from; the cache keeps its own."""
    wanted = {case + suffix for case in cases for suffix in (ARRAY, LABELS, PROPERTIES)}
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()


def splits(
    labelled: Sequence[str],
    others: Sequence[str],
    count: int,
    seed: int,
    corrected: Sequence[str] = (),
    voxels: Mapping[str, str] = MappingProxyType({}),
) -> list[dict[str, list[str]]]:
    """Folds for cross-validation. Only hand-labelled scans validate, and they are the same in every round.

    A fold validates on one share of the labelled scans, as they were labelled by hand, and learns from the others and
    all pseudo-labelled ones, but from no scan that it holds out, filled or not. Scans that were `corrected` by hand are
    held out too, where they are given here and not among the `others`; the labelled ones' folds stay as they are.
    A scan whose `voxels` (case → checksum) are those of one that a fold holds out is that scan by another name.
    """
    dealt = [held_out_by_fold(cases, count, seed) for cases in (labelled, corrected)]
    validation = [sorted(case for folds in dealt for case in folds[fold]) for fold in range(count)]
    every, folds = {*labelled, *corrected, *others}, []
    for held_out in validation:
        checksums = {voxels[case] for case in held_out if case in voxels}
        unseen = {*held_out, *(case for case, checksum in voxels.items() if checksum in checksums)}
        folds.append({"train": sorted(every - unseen - set(map(filled_name, unseen))), "val": held_out})
    return folds
