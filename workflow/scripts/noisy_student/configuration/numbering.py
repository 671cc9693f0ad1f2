"""Label maps that number organs differently, brought to the label table by the organs' names."""

from collections.abc import Mapping, Sequence

import numpy as np

from noisy_student.organs import Organ

Numbers = Mapping[str, int | list[int]]


def renumbered(label_map_zyx: np.ndarray, numbers: Numbers, organs: Sequence[Organ]) -> np.ndarray:
    """The label map (z, y, x) in the label table's numbers, uint8; what has no name becomes background."""
    renumbered = np.zeros(label_map_zyx.shape, np.uint8)
    for organ in organs:
        renumbered[np.isin(label_map_zyx, numbers_of(numbers, organ.name))] = organ.label
    return renumbered


def numbers_of(numbers: Numbers, name: str) -> list[int]:
    """The numbers of a name: one, or several that become one organ."""
    given = numbers[name]
    return given if isinstance(given, list) else [given]


def numbering_errors(numbers: Numbers, organs: Sequence[Organ]) -> list[str]:
    """What is wrong with the names and numbers of a folder; empty if nothing is."""
    names = {organ.name for organ in organs}
    all_numbers = [number for name in numbers for number in numbers_of(numbers, name)]
    errors = []
    if unknown := sorted(set(numbers) - names):
        errors.append(f"{', '.join(unknown)}: no such organ in the label table")
    if missing := sorted(names - set(numbers)):
        errors.append(f"{', '.join(missing)}: without a number these organs would be taken for background")
    if len(set(all_numbers)) < len(all_numbers) or 0 in all_numbers:
        errors.append("each number names one organ, and 0 is background")
    return errors
