"""Masks of several cases in one folder, named after case and organ: `p0_liver.nii.gz`, or `liver_p0.nii.gz`.

Where a name may be of several cases, as `p1_l_kidney` of `p1` and of `p1_l`, it is of the one that leaves the name of
an organ. Where several do, or none, nobody can tell.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from noisy_student.cohort.passed_over import SHOWN
from noisy_student.errors import InputError
from noisy_student.reading.mask_names import called
from noisy_student.reading.names import stem_of

GAP = re.compile(r"[_\-. ]+")
# Mask → what it is called besides its case.
Masks = dict[Path, str]


def masks_by_case(files: Iterable[Path], cases: Collection[str], is_organ: Callable[[str], bool]) -> dict[str, Masks]:
    """The masks of each case that has one of an organ. Raises InputError where others may be of several cases."""
    of_case: dict[str, Masks] = defaultdict(dict)
    unclear: dict[Path, list[str]] = {}
    for file in files:
        readings = _readings(stem_of(file), cases)
        likely = [(case, organ) for case, organ in readings if is_organ(organ)] or readings
        found = list(dict.fromkeys(case for case, _ in likely))
        if len(found) == 1:
            of_case[found[0]][file] = likely[0][1]
        elif found:
            unclear[file] = found
    with_organs = {case: masks for case, masks in of_case.items() if _has_organ(masks, is_organ)}
    if with_organs and unclear:
        raise _unclear(unclear)
    return with_organs


def _readings(name: str, cases: Collection[str]) -> list[tuple[str, str]]:
    """The cases that a name begins or ends with, and what it says besides."""
    gaps = [gap.span() for gap in GAP.finditer(name)]
    parts = [(name[:start], name[end:]) for start, end in gaps]
    both_ways = [*parts, *((after, before) for before, after in parts)]
    return [(case, organ) for case, organ in both_ways if case in cases and organ]


def _has_organ(masks: Mapping[Path, str], is_organ: Callable[[str], bool]) -> bool:
    return any(map(is_organ, called(list(masks.values()), is_organ).names))


def _unclear(unclear: Mapping[Path, list[str]]) -> InputError:
    listed = [f"{path.name} ({' or '.join(cases)})" for path, cases in unclear.items()]
    got = f"{len(listed)} that may be of several cases: " + ", ".join(listed[:SHOWN])
    got += ", …" if len(listed) > SHOWN else ""
    path, (case, *_) = next(iter(unclear.items()))
    remedy = (
        "take them out, if they are of no organ; else bring the masks of each case into a folder named after it, "
        f"the files after organs alone: those of {case} into {path.parent / case}/"
    )
    return InputError(f"masks in {path.parent} that are named after one case and one organ", got, remedy)
