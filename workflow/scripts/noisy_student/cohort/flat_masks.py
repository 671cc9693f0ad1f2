"""Masks of several cases in one folder, named after case and organ: `p0_liver.nii.gz`, or `liver_p0.nii.gz`.

Where a name may be of several cases, as `p1_l_kidney` of `p1` and of `p1_l`, it is of the one that leaves the name of
an organ. Where several do, or none, nobody can tell; nor where all masks of a case have the same number or word
besides, as `p1_2_liver` and `p1_2_spleen` of `p1`: they may be another scan's, `p1_2`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from noisy_student.cohort.passed_over import SHOWN
from noisy_student.errors import InputError
from noisy_student.lists import first_of
from noisy_student.organs import words_of
from noisy_student.reading.mask_names import MASK_WORDS, called
from noisy_student.reading.names import IMAGE_WORDS, stem_of

GAP = re.compile(r"[_\-. ]+")
# Mask → what it is called besides its case.
Masks = dict[Path, str]


def masks_by_case(
    files: Iterable[Path], cases: Collection[str], is_organ: Callable[[str], bool], others: Collection[str] = ()
) -> dict[str, Masks]:
    """The masks of each case that has one of an organ; `others` are cases whose masks may lie there, too.

    Raises InputError where masks may be of several cases.
    """
    of_case: dict[str, Masks] = defaultdict(dict)
    unclear: dict[Path, list[str]] = {}
    all_cases = {*cases, *others}
    for file in files:
        readings = _readings(stem_of(file), all_cases)
        likely = [(case, organ) for case, organ in readings if is_organ(organ)] or readings
        found = list(dict.fromkeys(case for case, _ in likely))
        if len(found) == 1:
            of_case[found[0]][file] = likely[0][1]
        elif found:
            unclear[file] = found
    with_organs = {case: masks for case, masks in of_case.items() if case in cases and _has_organ(masks, is_organ)}
    for case, masks in with_organs.items():
        if besides := _of_another(masks, is_organ):
            unclear |= {file: [case, f"one with “{besides}” in its name"] for file in masks}
    if with_organs and unclear:
        raise _unclear(unclear)
    return with_organs


def _readings(name: str, cases: Collection[str]) -> list[tuple[str, str]]:
    """The cases that a name begins or ends with, and what it says besides."""
    gaps = [gap.span() for gap in GAP.finditer(name)]
    parts = [(name[:start], name[end:]) for start, end in gaps]
    both_ways = [*parts, *((after, before) for before, after in parts)]
    return [(case, organ) for case, organ in both_ways if case in cases and organ]


def _of_another(masks: Mapping[Path, str], is_organ: Callable[[str], bool]) -> str:
    """What all masks of a case have besides its name and their organs', if it may be a part of another case's name."""
    names = list(masks.values())
    shorter = called(names, is_organ).names
    cut = {
        tuple(word for word in words_of(name) if word not in words_of(short))
        for name, short in zip(names, shorter, strict=True)
    }
    odd = [word for word in cut.pop() if word not in MASK_WORDS | IMAGE_WORDS] if len(cut) == 1 else []
    return " ".join(odd)


def _has_organ(masks: Mapping[Path, str], is_organ: Callable[[str], bool]) -> bool:
    return any(map(is_organ, called(list(masks.values()), is_organ).names))


def _unclear(unclear: Mapping[Path, list[str]]) -> InputError:
    listed = [f"{path.name} ({' or '.join(cases)})" for path, cases in unclear.items()]
    got = f"{len(listed)} that may be of several cases: {first_of(listed, SHOWN)}"
    path, (case, *_) = next(iter(unclear.items()))
    remedy = (
        "take them out, if they are of no organ; else bring the masks of each case into a folder named after it, "
        f"the files after organs alone: those of {case} into {path.parent / case}/"
    )
    return InputError(f"masks in {path.parent} that are named after one case and one organ", got, remedy)
