"""What is said of the names by which the numbers of a source's label maps are known: in use, left over, missing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.labelled_organs import ORGANS
from noisy_student.cohort.numbers_by_name import NAMES, SHOWN, TAKEN, Taken, quoted, some
from noisy_student.cohort.organ_names import OrganNames
from noisy_student.organs import SIDES, Organ, is_of_lesion, makes_another, plain, words_of
from noisy_student.reading.mask_names import MASK_WORDS
from noisy_student.reading.names import IMAGE_WORDS

Row = Mapping[str, Any]


def names_taken(rows: Sequence[Row], organs: Sequence[Organ]) -> list[Finding]:
    """Of each source, which names were taken for which organs, what was left over, and organs that nothing names.

    A lesion that is left over may be a part of an organ: a warning. Another one where a word was cut off the names of
    masks that is none for masks, and where an organ has its name in some label maps and others have a name instead.
    """
    by_source: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if NAMES in row:
            by_source[row["source"]].append(row)
    findings = []
    for source, of_source in by_source.items():
        instead = _instead(of_source, organs)
        unclear = {name for one in instead for name in one.names}
        names = {name: organ for row in of_source for name, organ in row[NAMES].organs.items()}
        names = dict(sorted(names.items(), key=lambda item: item[0] not in unclear))
        findings += [*_said(source, of_source[0][NAMES], names), *_named_in_some(source, instead)]
        findings += [*_cut_off(source, of_source), *_never_named(source, of_source, organs)]
    return findings


def _said(source: str, first: Taken, names: Mapping[str, str]) -> list[Finding]:
    others = [f"{name} is {organ}" for name, organ in names.items() if organ and name != organ]
    left_over = [name for name, organ in names.items() if not organ]
    if not others and not left_over and not first.cut:
        return []
    found = f"source {source}: organs by {first.said_by}"
    found += f": {', '.join(others)}" if others else ""
    found += f"; left over as background: {some(left_over)}" if left_over else ""
    lesions = [name for name in left_over if is_of_lesion(name)]
    if not lesions:
        return [Finding("all", "", "note", found, TAKEN, "nothing if that is right; else `aliases` or `labels`")]
    remedy = f"if {some(lesions)} is a part of an organ, "
    if first.are_all:
        remedy += "add the name to the `aliases` of that organ under `organs`: both are read as one"
    else:
        remedy += "give the numbers of both under `labels`: {organ: [1, 2]}"
    return [Finding("all", "", "warning", found, TAKEN, remedy)]


def _cut_off(source: str, rows: Iterable[Row]) -> list[Finding]:
    """A warning about words that are none for masks and images, nor of the case's name."""
    words = {row["case"]: _unusual(row[NAMES].cut, row["case"]) for row in rows}
    case = next((case for case, unusual in words.items() if unusual), None)
    if case is None:
        return []
    found = f"source {source}: {quoted(words[case])} was cut off the names of all masks, as of {case}"
    wanted = "masks of whole organs, named after them"
    remedy = "nothing if it says nothing of the organs; if these are other structures, take the masks out of the source"
    return [Finding("all", "", "warning", found, wanted, remedy)]


def _unusual(cut: Iterable[str], case: str) -> list[str]:
    usual = MASK_WORDS | IMAGE_WORDS | set(words_of(case))
    return [word for word in cut if word not in usual]


def _never_named(source: str, rows: Iterable[Row], organs: Sequence[Organ]) -> list[Finding]:
    """Organs that no label map of a source names, where an organ that is not in a scan has no name there."""
    rows = [row for row in rows if not row[NAMES].lists_all]
    labelled = {label for row in rows for label in row[ORGANS]}
    named = {organ for row in rows for organ in row[NAMES].organs.values()}
    missing = [organ.name for organ in organs if organ.label in labelled and organ.name not in named]
    if not missing:
        return []
    remedy = "say with `organs` which are labelled there, or add the names that they have there to their `aliases`"
    found = f"source {source}: none of its label maps names {', '.join(missing)}"
    return [Finding("all", "", "warning", found, "each organ named in some label map of its source", remedy)]


def named_in_some(taken: Mapping[str, Taken], organs: Sequence[Organ]) -> list[str]:
    """Of label maps by file name: which organs some of them name, and others do not but have a name instead."""
    labels = frozenset(organ.label for organ in organs)
    rows = [{"case": name, NAMES: of_file, ORGANS: labels} for name, of_file in taken.items()]
    return _in_words(_instead(rows, organs))


class _Instead(NamedTuple):
    """An organ that `named` of `asked` label maps name, and the others that have names which those have not.

    `is_likely`: one of these names has a word of the organ's.
    """

    organ: str
    named: int
    asked: int
    cases: list[str]
    names: list[str]
    is_likely: bool


def _instead(rows: Sequence[Row], organs: Sequence[Organ]) -> list[_Instead]:
    """The organs that only some label maps of a source name, where others have names that may be the organ's.

    An organ may lie outside the scan: without a name in its place nothing is said. Names of other organs, of lesions
    and of parts are none. Likely ones come first.
    """
    rows = [row for row in rows if not row[NAMES].lists_all]
    meaning = OrganNames(organs)
    found = [_instead_of(organ, [row for row in rows if organ.label in row[ORGANS]], meaning) for organ in organs]
    return sorted([one for one in found if one], key=lambda one: not one.is_likely)


def _instead_of(organ: Organ, rows: Sequence[Row], meaning: OrganNames) -> _Instead | None:
    named = [row for row in rows if organ.name in row[NAMES].organs.values()]
    cases_named = {row["case"] for row in named}
    theirs = {name for row in named for name in row[NAMES].organs}
    instead = {
        row["case"]: [name for name in _left_over(row) if name not in theirs and _may_be_an_organ(name, meaning)]
        for row in rows
        if row["case"] not in cases_named
    }
    cases = [case for case, names in instead.items() if names]
    if not named or not cases:
        return None
    names = dict.fromkeys(name for of_case in instead.values() for name in of_case)
    likely_first = sorted(names, key=lambda name: not _is_like(name, organ))
    return _Instead(organ.name, len(named), len(rows), cases, likely_first, _is_like(likely_first[0], organ))


def _left_over(row: Row) -> list[str]:
    return [name for name, organ in row[NAMES].organs.items() if not organ]


def _may_be_an_organ(name: str, meaning: OrganNames) -> bool:
    return not meaning.is_known(name) and not any(makes_another(word) and word not in SIDES for word in words_of(name))


def _is_like(name: str, organ: Organ) -> bool:
    """Whether the name has a word of the organ's, other than its side, anywhere in it."""
    return any(word in plain(name) for word in words_of(organ.name) if word not in SIDES)


def _named_in_some(source: str, instead: Sequence[_Instead]) -> list[Finding]:
    if not instead:
        return []
    lines = _in_words(instead)
    found = f"source {source}: {'; '.join(lines[:SHOWN])}"
    found += f"; and {len(lines) - SHOWN} more organs" if len(lines) > SHOWN else ""
    remedy = (
        "if that is the organ, add the name to its `aliases` under `organs`: as it is, it is background; where the "
        "organ is not labelled, say which are in a table with a column `organs`; nothing where it lies outside the scan"
    )
    return [Finding("all", "", "warning", found, "one organ named in all label maps that have it", remedy)]


def _in_words(instead: Sequence[_Instead]) -> list[str]:
    return [
        f"{one.organ} is named in {one.named} of {one.asked} label maps; {some(one.cases)} instead with "
        f"{some(one.names)}, which those have not"
        for one in instead
    ]
