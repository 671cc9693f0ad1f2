"""Label maps that number organs differently, brought to the label table by the organs' names."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from noisy_student.organs import Organ
from noisy_student.sparse import IGNORE, ignore_label

# By name; `ignore` is that of voxels that nobody labelled.
Numbers = Mapping[str, int | list[int]]


def renumbered(label_map_zyx: np.ndarray, numbers: Numbers, organs: Sequence[Organ]) -> np.ndarray:
    """The label map (z, y, x) in the label table's numbers, uint8; what has no name becomes background.

    Of two organs with the same numbers the later one has them. `ignore` becomes the number after the organs'.
    """
    label_of = {number: organ.label for organ in organs for number in _if_named(numbers, organ.name)}
    label_of |= dict.fromkeys(_if_named(numbers, IGNORE), ignore_label(organs))
    renumbered = np.zeros(label_map_zyx.shape, np.uint8)
    for place, voxels in enumerate(label_map_zyx):
        present = np.unique(voxels)
        labels = np.array([label_of.get(number, 0) for number in present.tolist()], np.uint8)
        renumbered[place] = labels[np.searchsorted(present, voxels)]
    return renumbered


def _if_named(numbers: Numbers, name: str) -> list[int]:
    return numbers_of(numbers, name) if name in numbers else []


def numbers_of(numbers: Numbers, name: str) -> list[int]:
    """The numbers of a name: one, or several that become one organ."""
    given = numbers[name]
    return given if isinstance(given, list) else [given]


def unknown_organs(named: Collection[str], organs: Sequence[Organ]) -> list[str]:
    """What is wrong with names of organs; empty if all are in the label table."""
    unknown = sorted(set(named) - {organ.name for organ in organs})
    return [f"{', '.join(unknown)}: no such organ in the label table"] if unknown else []


def numbering_errors(numbers: Numbers, organs: Sequence[Organ], labelled: Collection[str] | None = None) -> list[str]:
    """What is wrong with the names and numbers of a folder; empty if nothing is.

    `labelled`: the organs that are labelled there; all, if None.
    """
    wanted = {organ.name for organ in organs} if labelled is None else set(labelled)
    twins = {organ.left_twin for organ in organs if is_one_number(numbers, organ)}
    all_numbers = [number for name in numbers if name not in twins for number in numbers_of(numbers, name)]
    errors = [f"labels: {error}" for error in unknown_organs(set(numbers) - {IGNORE}, organs)]
    if missing := sorted(wanted - set(numbers)):
        remedy = "without a number these organs would be taken for background; `organs` says which are labelled there"
        errors.append(f"labels: {', '.join(missing)}: {remedy}")
    if len(set(all_numbers)) < len(all_numbers) or 0 in all_numbers:
        errors.append("labels: each number names one organ, or a right and its left one; 0 is background")
    return errors


def is_one_number(numbers: Numbers, right: Organ) -> bool:
    """Whether a right organ and its left one have the same numbers: they are told apart by their side."""
    both = [sorted(numbers_of(numbers, name)) for name in (right.name, right.left_twin) if name in numbers]
    return len(both) == 2 and both[0] == both[1]
