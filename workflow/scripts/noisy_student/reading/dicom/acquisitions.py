"""Slices of two acquisitions among each other: two phases, or two parts of the body that overlap."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from noisy_student.reading.dicom.slice import Slice
from noisy_student.reading.dicom.stack import Stack

# Instance numbers that follow the body in more passes than these say nothing.
MOST_PASSES = 4
# A step between instances that is this many times the usual one, or the widest distance of slices, begins a new pass.
JUMP = 1.5


def overlapping(stack: Stack) -> tuple[Slice, Slice] | None:
    """Where an acquisition begins among the slices of another: the slice before, and its first one; None if nowhere."""
    for groups in (_by_acquisition(stack), _by_instance(stack)):
        end = -1
        for first, last in sorted((min(group), max(group)) for group in groups):
            if first < end:
                return stack.slices[first - 1], stack.slices[first]
            end = max(end, last)
    return None


def _by_acquisition(stack: Stack) -> list[list[int]]:
    groups = defaultdict(list)
    for place, slice_ in enumerate(stack.slices):
        groups[slice_.acquisition].append(place)
    return list(groups.values()) if "" not in groups else []


def _by_instance(stack: Stack) -> list[list[int]]:
    """Passes along the body, in the order of instance numbers; none where these do not order the slices.

    Numbers that all occur equally often began anew: of each, the lowest slice is of the first pass, and so on.
    """
    numbers = [slice_.number for slice_ in stack.slices]
    if stack.slices[0].frame is not None or None in numbers:
        return []
    times, *others = set(Counter(numbers).values())
    if others or times > 1:
        return _by_occurrence(numbers) if not others and times < len(numbers) else []
    order = [int(place) for place in np.argsort(np.array(numbers, float))]
    # The slices of two acquisitions that alternate are nearer to each other than either's own.
    usual_mm = max(stack.gaps_mm.max(), np.median(np.abs(np.diff(stack.heights_mm[order]))))
    passes, direction = [[order[0]]], 0.0
    for before, place in pairwise(order):
        step_mm = stack.heights_mm[place] - stack.heights_mm[before]
        if step_mm * direction < 0 or abs(step_mm) > JUMP * usual_mm:
            passes.append([])
            direction = 0.0
        else:
            direction = np.sign(step_mm)
        passes[-1].append(place)
    return passes if len(passes) <= MOST_PASSES else []


def _by_occurrence(numbers: Sequence[float]) -> list[list[int]]:
    """The slices with the first of each number's occurrences, those with the second, and so on."""
    seen, groups = Counter(), defaultdict(list)
    for place, number in enumerate(numbers):
        groups[seen[number]].append(place)
        seen[number] += 1
    return list(groups.values())
