"""Names that come with a label map, in its header or beside it: do they say the organs that `labels` gives numbers?"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.likely_layout import in_yaml
from noisy_student.cohort.names_beside import names_of, own_names
from noisy_student.cohort.organ_names import OrganNames, is_known
from noisy_student.cohort.scans import Scan
from noisy_student.configuration.numbering import Numbers, numbers_of
from noisy_student.images import NIFTI_ENDINGS
from noisy_student.organs import Organ
from noisy_student.reading.masks import masks_in
from noisy_student.reading.names import extension_of
from noisy_student.reading.volume import Remark, Volume

WANTED = "numbers that mean the organs for which they are taken"
NAMED = "one name for each organ that is labelled there"
Names = Mapping[int, str]


@dataclass(frozen=True)
class Named:
    """What names the numbers of a label map, number → name; nothing, if none are named.

    `lists_all`: an organ that is not in the scan has a name all the same. Segmentations and colour tables of 3D Slicer,
    DICOM-SEG and RTSTRUCT name what is there. `are_all`: numbers were made for the names, the file has none of its own.
    `cut`: words that all names had besides.
    """

    where: str = ""
    names: Names = field(default_factory=dict)
    lists_all: bool = True
    are_all: bool = False
    cut: tuple[str, ...] = ()


def named(path: Path, stored: Volume, masks: Collection[Path] = (), is_correction: bool = False) -> Named:
    """The names in a label map's own file or files, which go before those beside it. The others are as of a scan."""
    if path.is_dir() and (masks or masks_in(path)):
        return Named("the names of its masks", stored.names, True, stored.is_by_name, stored.cut)
    if stored.is_by_name:
        return Named("its segments", stored.names, False, True)
    if stored.names:
        return Named("its header", stored.names, extension_of(path) in NIFTI_ENDINGS)
    return Named(*(own_names if is_correction else names_of)(path))


def name_remarks(found: Named, labels: Numbers, organs: Sequence[Organ]) -> list[Remark]:
    """An error where names say other organs than `labels`. A name that fits no organ says nothing."""
    meaning = OrganNames(organs)
    organs = [organ for organ in organs if organ.name in labels]
    used = {organ.name: numbers_of(labels, organ.name) for organ in organs}
    lines = [line for organ in organs for line in _contradictions(organ, organs, used, found.names, meaning)]
    if not lines:
        return []
    said = f"other organs by {found.where} than by `labels`: {'; '.join(lines[:5])}"
    said += f"; and {len(lines) - 5} more" if len(lines) > 5 else ""
    right, unnamed = right_numbers(used, found.names, organs, meaning)
    remedy = f"if the names are right, add to its entry under `cohort.folders` labels: {{{as_yaml(right)}}}"
    remedy += f" ({', '.join(unnamed)}: without a name there, look which number is right)" if unnamed else ""
    return [
        Remark("names", said, WANTED, f"{remedy}; if they are not, correct or remove them in {found.where}", "error")
    ]


def once_a_source(findings: Sequence[Finding], scans: Sequence[Scan]) -> list[Finding]:
    """The findings, with one for all label maps of a source of whose names the same is to be said."""
    sources = {scan.case: scan.source for scan in scans}
    alike = defaultdict(list)
    for number, finding in enumerate(findings):
        is_of_names = finding.wanted in (WANTED, NAMED)
        alike[(sources[finding.case], finding.found, finding.remedy) if is_of_names else number].append(finding)
    return [
        replace(first, found=f"{first.found} (and in {len(others)} more of its source)") if others else first
        for first, *others in alike.values()
    ]


def _contradictions(
    organ: Organ, organs: Sequence[Organ], used: Mapping[str, Sequence[int]], names: Names, meaning: OrganNames
) -> list[str]:
    """What is said against the numbers of one organ of those that `used` has.

    Several numbers may be meant to be one organ: as long as one has its name, only another organ of the table is wrong.
    """
    others = {other.label for other in organs}
    named = [number for number, name in names.items() if meaning.rank(name) == organ.label]
    is_named = any(number in named for number in used[organ.name])
    wrong = [
        number
        for number in used[organ.name]
        if number in names and number not in named
        if meaning.rank(names[number]) in others
        or (meaning.is_known(names[number]) and is_known(organ.name) and not is_named)
    ]
    lines = [f"{number} is {names[number]!r} and taken for {organ.name}" for number in wrong]
    if named and not is_named and not wrong:
        lines = [f"{organ.name} is {named[0]} and taken from {', '.join(map(str, used[organ.name]))}"]
    return lines


def right_numbers(
    used: Mapping[str, Sequence[int]], names: Names, organs: Sequence[Organ], meaning: OrganNames
) -> tuple[dict[str, list[int]], list[str]]:
    """The numbers of each organ by the names, and the organs without a name, which keep theirs unless it is taken."""
    by_organ = {organ.name: numbers_of_organ(organ, names, meaning) for organ in organs}
    taken = {number for numbers in by_organ.values() for number in numbers}
    taken |= {number for number, name in names.items() if meaning.is_known(name)}
    unnamed = [organ for organ, numbers in by_organ.items() if not numbers]
    for organ in unnamed:
        free = max({*taken, *names, *(number for numbers in used.values() for number in numbers)}) + 1
        by_organ[organ] = [number for number in used[organ] if number not in taken] or [free]
        taken.update(by_organ[organ])
    return by_organ, unnamed


def numbers_of_organ(organ: Organ, names: Names, meaning: OrganNames) -> list[int]:
    """The numbers whose names are the organ's."""
    return [number for number, name in sorted(names.items()) if meaning.rank(name) == organ.label]


def as_yaml(numbers: Mapping[str, Sequence[int]]) -> str:
    """A flow mapping's content."""
    pairs = ((in_yaml(name), own) for name, own in numbers.items())
    return ", ".join(f"{name}: {own[0] if len(own) == 1 else list(own)}" for name, own in pairs)
