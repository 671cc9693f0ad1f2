"""Do names that come with a label map, in its header or beside it, say the organs that its numbers are taken for?"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.names_beside import names_beside
from noisy_student.cohort.organ_names import is_known, organ_of
from noisy_student.configuration.numbering import Numbers, numbers_of
from noisy_student.organs import Organ
from noisy_student.reading.volume import Remark

WANTED = "numbers that mean the organs for which they are taken"
Names = Mapping[int, str]


def name_remarks(path: Path, in_header: Names, labels: Numbers | None, organs: Sequence[Organ]) -> list[Remark]:
    """An error where names say other organs than the numbers in use: `labels` of the folder, else the label table's.

    Names in the file's header go before those beside it. A name that fits no organ says nothing.
    """
    where, names = ("its header", in_header) if in_header else names_beside(path.parent)
    organs = [organ for organ in organs if labels is None or organ.name in labels]
    used = {organ.name: numbers_of(labels, organ.name) if labels else [organ.label] for organ in organs}
    lines = [line for organ in organs for line in _contradictions(organ, used, names)]
    if not lines:
        return []
    found = f"other organs by {where} than by {'`labels`' if labels else 'the label table'}: {'; '.join(lines[:5])}"
    found += f"; and {len(lines) - 5} more" if len(lines) > 5 else ""
    right, unnamed = right_numbers(used, names)
    remedy = f"if the names are right, add to its entry under `cohort.folders` labels: {{{_yaml(right)}}}"
    remedy += f" ({', '.join(unnamed)}: without a name there, look which number is right)" if unnamed else ""
    return [Remark("names", found, WANTED, f"{remedy}; if they are not, correct or remove them in {where}", "error")]


def once_a_folder(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, with one for all label maps of a folder whose names say the same against the numbers."""
    alike = defaultdict(list)
    for number, finding in enumerate(findings):
        folder = Path(finding.file).parent
        alike[(folder, finding.found, finding.remedy) if finding.wanted == WANTED else number].append(finding)
    return [
        replace(first, found=f"{first.found} (and in {len(others)} more of its folder)") if others else first
        for first, *others in alike.values()
    ]


def _contradictions(organ: Organ, used: Mapping[str, Sequence[int]], names: Names) -> list[str]:
    """What is said against the numbers of one organ.

    Several numbers may be meant to be one organ: as long as one has its name, only another organ of the table is wrong.
    """
    own, others = organ_of(organ.name), {organ_of(name) for name in used}
    named = [number for number, name in names.items() if organ_of(name) == own]
    is_named = any(number in named for number in used[organ.name])
    wrong = [
        number
        for number in used[organ.name]
        if number in names and number not in named
        if organ_of(names[number]) in others or (is_known(names[number]) and is_known(organ.name) and not is_named)
    ]
    lines = [f"{number} is {names[number]!r} and taken for {organ.name}" for number in wrong]
    if named and not is_named and not wrong:
        lines = [f"{organ.name} is {named[0]} and taken from {', '.join(map(str, used[organ.name]))}"]
    return lines


def right_numbers(used: Mapping[str, Sequence[int]], names: Names) -> tuple[dict[str, list[int]], list[str]]:
    """The numbers of each organ by the names, and the organs without a name, which keep theirs unless it is taken."""
    by_organ = {
        organ: [number for number, name in sorted(names.items()) if organ_of(name) == organ_of(organ)] for organ in used
    }
    taken = {number for numbers in by_organ.values() for number in numbers} | {n for n in names if is_known(names[n])}
    unnamed = [organ for organ, numbers in by_organ.items() if not numbers]
    for organ in unnamed:
        free = max({*taken, *names, *(number for numbers in used.values() for number in numbers)}) + 1
        by_organ[organ] = [number for number in used[organ] if number not in taken] or [free]
        taken.update(by_organ[organ])
    return by_organ, unnamed


def _yaml(numbers: Mapping[str, Sequence[int]]) -> str:
    """A flow mapping's content."""
    pairs = ((name if re.fullmatch(r"\w[\w .-]*", name) else json.dumps(name), own) for name, own in numbers.items())
    return ", ".join(f"{name}: {own[0] if len(own) == 1 else list(own)}" for name, own in pairs)
