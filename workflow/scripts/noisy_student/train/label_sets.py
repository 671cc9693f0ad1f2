"""Targets that are one of several labels: background of a scan in which only some organs are labelled.

Such a voxel may be background or any organ that is not labelled there. In the label maps of a round's dataset it has
the code of that set, a number above all labels and the ignore label, so that augmentation moves it as a label.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from nnunetv2.training.loss.dice import get_tp_fp_fn_tn

from noisy_student.errors import InputError
from noisy_student.files import read_json, write_text

# Of a round's dataset folder: code → labels, background among them. Where no scan has a set there is no such file.
LABEL_SETS = "label_sets.json"
# Soft targets are bytes.
LARGEST_CODE = 255


@dataclass(frozen=True)
class LabelSets:
    """The sets of a dataset, each as its labels in order; `classes` is how many labels the network tells apart."""

    classes: int
    sets: tuple[tuple[int, ...], ...]

    @classmethod
    def of(
        cls, sets: Iterable[Collection[int]], classes: int, if_they_fit: Iterable[Collection[int]] = ()
    ) -> "LabelSets":
        """The distinct ones of these sets, and the most frequent of those `if_they_fit`.

        Raises InputError for more of the former than there are codes.
        """
        distinct = {_in_order(labels) for labels in sets}
        if classes + len(distinct) > LARGEST_CODE:
            raise InputError(
                f"at most {LARGEST_CODE - classes} different sets of labelled organs",
                f"{len(distinct)}",
                "take scans of the rarest ones out of `cohort.folders.labelled`, or name fewer `organs` there",
            )
        others = Counter(filter(lambda labels: labels not in distinct, map(_in_order, if_they_fit)))
        distinct.update(labels for labels, _ in others.most_common(LARGEST_CODE - classes - len(distinct)))
        return cls(classes, tuple(sorted(distinct)))

    @classmethod
    def read(cls, dataset: Path, classes: int) -> "LabelSets | None":
        """Those of a round's dataset folder, if it has any."""
        path = dataset / LABEL_SETS
        return cls(classes, tuple(map(tuple, read_json(path).values()))) if path.exists() else None

    def write(self, dataset: Path) -> None:
        """Write them to a round's dataset folder; an old file of no sets is removed."""
        if self.sets:
            content = {self.code_of(labels): labels for labels in self.sets}
            write_text(dataset / LABEL_SETS, json.dumps(content, indent=2))
        else:
            (dataset / LABEL_SETS).unlink(missing_ok=True)

    def code_of(self, labels: Collection[int]) -> int:
        """The code of a set. `classes` itself is the ignore label, where there is one."""
        return self.classes + 1 + self.sets.index(_in_order(labels))

    def __contains__(self, labels: Collection[int]) -> bool:
        return _in_order(labels) in self.sets

    def members(self, device: torch.device | None = None) -> torch.Tensor:
        """Which classes a voxel may have: bool (class, code).

        A label's is that class alone; the ignore label's are all.
        """
        alone = torch.eye(self.classes, dtype=torch.bool)
        sets = [torch.isin(torch.arange(self.classes), torch.tensor(labels)) for labels in self.sets]
        rest = [torch.ones(self.classes, dtype=torch.bool), *sets]
        return torch.cat([alone, torch.stack(rest, 1)], 1).to(device)

    def counts(
        self, predicted: torch.Tensor, target: torch.Tensor, axes: list[int], mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, ...]:
        """True and false positives and negatives of each class, as nnU-Net counts them of one-hot predictions.

        `predicted` is (batch, class, z, y, x), `target` (batch, 1, z, y, x). A voxel of a set is background, and so is
        what was predicted there if it is in the set.
        """
        is_set = target > self.classes
        within = is_set & (predicted.bool() & members_at(self.members(target.device), target)).any(1, keepdim=True)
        background = torch.zeros_like(predicted)
        background[:, 0] = 1
        return get_tp_fp_fn_tn(torch.where(within, background, predicted), target.masked_fill(is_set, 0), axes, mask)


def _in_order(labels: Collection[int]) -> tuple[int, ...]:
    return tuple(sorted(map(int, labels)))


def members_at(members: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The classes that each voxel of a target (batch, 1, z, y, x) may have: bool (batch, class, z, y, x)."""
    return members[:, target[:, 0].long()].transpose(0, 1)
