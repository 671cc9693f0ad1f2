"""What the labels of a model from elsewhere mean in the label table, by the organs' names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from noisy_student.cohort.organ_names import OrganNames, is_known, organ_of
from noisy_student.errors import InputError
from noisy_student.organs import LARGEST_LABEL, Organ


@dataclass(frozen=True)
class Translation:
    """From a model's labels to those of the table.

    `numbers`: the model's label → the table's. `lacks`: organs of the table that it does not mark, so its background
    says nothing about them. `unknown`: its labels whose names are no organ's, name → label: they may be parts of an
    organ, such as a tumour. What is neither becomes background: an organ that the table does not have.
    """

    numbers: dict[int, int]
    lacks: tuple[str, ...]
    unknown: dict[str, int]

    @property
    def of_each_label(self) -> np.ndarray:
        """The table's label of each of the model's labels (index), uint8."""
        table = np.zeros(LARGEST_LABEL + 1, np.uint8)
        table[list(self.numbers)] = list(self.numbers.values())
        return table

    def background_of(self, classes: int) -> list[int]:
        """Which of the model's classes are background here for certain."""
        return [label for label in range(classes) if label not in self.numbers and label not in self.unknown.values()]


def translation(labels: Mapping[str, int], organs: Sequence[Organ], model: object) -> Translation:
    """Match a model's labels (name → label) with the table's organs. `model` is what errors call it.

    The table's aliases count for organs that no label has by another name; beside one, an alias may be a part of it.
    Raises InputError where no name matches, and where several are one organ's.
    """
    theirs, ours = _by_organ(_without_aliases(labels, organs)), _by_organ({o.name: o.name for o in organs})
    matched = theirs.keys() & ours.keys()
    several = [
        [*theirs[organ], *ours[organ]] for organ in theirs if organ in matched and not _is_pair(theirs, ours, organ)
    ]
    if several or not matched:
        what = "; ".join(f"{', '.join(names)} are one organ" for names in several) or "no organ in common"
        raise InputError(
            f"labels of {model} that are organs of the label table by their names, each once",
            f"{what}. The model: {', '.join(labels)}. The table: {', '.join(organ.name for organ in organs)}",
            "name the organs under `organs` as the model does, or take another model",
        )
    own = {organ_of(organ.name): organ.label for organ in organs}
    numbers = {labels[theirs[organ][0]]: label for organ, label in own.items() if organ in matched}
    lacks = tuple(organ.name for organ in organs if organ_of(organ.name) not in matched)
    unknown = {name: label for name, label in labels.items() if label not in numbers and not is_known(name)}
    return Translation(numbers, lacks, unknown)


def _without_aliases(labels: Iterable[str], organs: Sequence[Organ]) -> dict[str, str]:
    """What each label is called in the table, where it is an alias there; else as it is."""
    meaning, by_other_names = OrganNames(organs), set(map(organ_of, labels))
    wanted = {organ.label: organ.name for organ in organs if organ_of(organ.name) not in by_other_names}
    return {label: wanted.get(meaning.rank(label), label) for label in labels}


def _by_organ(names: Mapping[str, str]) -> dict[str, list[str]]:
    """The names of each organ; `names` has the one by which each is known."""
    found: dict[str, list[str]] = {}
    for name, known_as in names.items():
        found.setdefault(organ_of(known_as), []).append(name)
    return found


def _is_pair(theirs: dict[str, list[str]], ours: dict[str, list[str]], organ: str) -> bool:
    return len(theirs[organ]) == len(ours[organ]) == 1
