"""Which number of a label map is which organ: by the source's `labels`, by names that come with it, or by the table."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.label_names import (
    NAMED,
    Named,
    as_yaml,
    name_remarks,
    named,
    numbers_of_organ,
)
from noisy_student.cohort.likely_layout import in_yaml
from noisy_student.cohort.organ_names import OrganNames
from noisy_student.cohort.pairing import table_line
from noisy_student.cohort.scans import Scan
from noisy_student.cohort.stale_names import stale_names
from noisy_student.cohort.unlabelled_voxels import ambiguous, ignored_numbers
from noisy_student.configuration.numbering import Numbers, numbers_of
from noisy_student.organs import Organ, words_of
from noisy_student.reading.mask_names import MASK_WORDS
from noisy_student.reading.masks import files_in
from noisy_student.reading.names import IMAGE_WORDS, stem_of
from noisy_student.reading.volume import Remark, Volume
from noisy_student.sparse import IGNORE

# What a row of the case table's making holds of the names that were used.
NAMES = "names"
# The wanted column of what `check` says of names that were used.
TAKEN = "numbers known by name"
SHOWN = 5


@dataclass(frozen=True)
class Taken:
    """The names of a label map that were used: name → organ of the table, empty for what is left over.

    `lists_all`, `are_all`, `cut`: as of `Named`.
    """

    where: str
    organs: Mapping[str, str]
    lists_all: bool
    are_all: bool = False
    cut: tuple[str, ...] = ()

    @property
    def said_by(self) -> str:
        """Where the names are, and what they are without."""
        return self.where + (f" without what all of a case have, such as {quoted(self.cut)}" if self.cut else "")


@dataclass(frozen=True)
class Numbering:
    """The numbers of the organs in a label map, and of `ignore`; None where they are the label table's.

    `known`: all numbers that may stand in it, None for any; `wanted`: what is wanted in place of others, and the
    remedy. `taken`: the names by which the numbers are known, if they are.
    """

    numbers: Numbers | None = None
    known: Collection[int] | None = None
    wanted: tuple[str, str] = ("", "")
    taken: Taken | None = None

    @property
    def ignored(self) -> list[int]:
        """The numbers of voxels that nobody labelled."""
        return numbers_of(self.numbers, IGNORE) if self.numbers and IGNORE in self.numbers else []

    def knows(self, number: int) -> bool:
        """Whether a number may stand in the label map."""
        return self.known is None or number in self.known


def numbering_of(
    scan: Scan, path: Path, stored: Volume, organs: Sequence[Organ], labelled: Collection[int]
) -> tuple[Numbering, list[Remark]]:
    """The numbers of a scan's label map, and errors of its names; `labelled`: labels of the organs that it may have.

    A label map that has names and no numbers of its own knows nothing of `labels`.
    """
    found = named(path, stored, dict(scan.masks), scan.is_correction)
    if scan.labels is not None and not found.are_all:
        own = {name: numbers_of(scan.labels, name) for name in scan.labels if name != IGNORE}
        numbers, remarks = _with_ignored(found, own, scan.labels)
        return Numbering(numbers), name_remarks(found, scan.labels, organs) + remarks
    if not found.names and not found.are_all:
        remedy = "give the organs' numbers in this folder under `labels`, or correct `organs`"
        known, wanted = range(len(organs) + 1), (f"labels from 0 to {len(organs)}", remedy)
        return Numbering(None, known, wanted), _mask_of_another(scan, path, stored, organs)
    numbers, remarks = numbers_by_name(found, [organ for organ in organs if organ.label in labelled], organs)
    if not numbers and path.is_dir() and not scan.masks and len(files := files_in(path)) == 1:
        remarks = [replace(remark, remedy=_as_a_file(scan, files[0])) for remark in remarks]
    wanted = (
        f"numbers that have a name in {found.where}",
        "name them there, or give the organs' numbers under `labels`",
    )
    numbers, unclear = _with_ignored(found, numbers, {})
    remarks += unclear
    remarks += stale_names(found, stored.image, [number for own in numbers.values() for number in own], organs)
    return Numbering(numbers, {0, *found.names}, wanted, taken_of(found, numbers)), remarks


def _mask_of_another(scan: Scan, path: Path, stored: Volume, organs: Sequence[Organ]) -> list[Remark]:
    """An error where a file with one number is named after an organ, or its folder is, that has another one here."""
    meaning = OrganNames(organs)
    words = [word for word in words_of(stem_of(path)) if word not in {*words_of(scan.case), *MASK_WORDS, *IMAGE_WORDS}]
    organ = next((name for name in (" ".join(words), path.parent.name) if meaning.is_known(name)), None)
    if organ is None or scan.organs is not None:
        return []
    numbers = [number for number in np.unique(sitk.GetArrayViewFromImage(stored.image)).tolist() if number]
    if len(numbers) != 1 or numbers == [meaning.rank(organ)]:
        return []
    taken = next((organ.name for organ in organs if organ.label == numbers[0]), "no organ")
    said = f"named after {organ}, and has the number {numbers[0]}, which is {taken} in the label table"
    remedy = (
        f"if it is a mask, name the folder of the case's masks as its label map, or say beside it organs: [{organ}] "
        f"and labels: {{{organ}: {numbers[0]}}}; if it is a label map of all organs, give their numbers under `labels`"
    )
    return [Remark(NAMES, said, "the number of the organ that it is named after", remedy, "error")]


def _with_ignored(
    found: Named, numbers: dict[str, list[int]], labels: Numbers
) -> tuple[dict[str, list[int]], list[Remark]]:
    """The numbers of the organs with those of `ignore`, if there are any, and errors of these."""
    ignored = ignored_numbers(found, labels)
    remarks = ambiguous(found, numbers, ignored)
    return numbers | ({IGNORE: ignored} if ignored and not found.are_all else {}), remarks


def numbers_by_name(
    found: Named, labelled: Sequence[Organ], organs: Sequence[Organ]
) -> tuple[dict[str, list[int]], list[Remark]]:
    """The numbers of the organs that are labelled in a label map, by the names of its numbers.

    Errors: an organ without a name, where all that are labelled should have one, or no organ with a name at all; an
    organ with several names, where these are of numbers: masks and segments of one organ were read as one.
    """
    if not labelled:
        return {}, []
    meaning = OrganNames(organs)
    by_organ = {organ.name: numbers_of_organ(organ, found.names, meaning) for organ in labelled}
    numbers = {organ: own for organ, own in by_organ.items() if own}
    missing = [organ for organ in by_organ if organ not in numbers]
    remarks = [_several(found, organ, own) for organ, own in numbers.items() if len(own) > 1 and not found.are_all]
    if missing and (found.lists_all or not numbers):
        remarks.append(_missing(found, missing, numbers))
    return numbers, remarks


def taken_of(found: Named, numbers: Mapping[str, Sequence[int]]) -> Taken:
    """The names that were used, from the numbers of each organ."""
    organ_of = {number: organ for organ, own in numbers.items() for number in own}
    names = {name: organ_of.get(number, "") for number, name in found.names.items()}
    return Taken(found.where, names, found.lists_all, found.are_all, found.cut)


def _missing(found: Named, missing: Sequence[str], numbers: Mapping[str, Sequence[int]]) -> Remark:
    said = f"no name for {', '.join(missing)}; {found.where}: {some(list(found.names.values()), 20) or 'none'}"
    remedy = "if it has another name there, add that to its `aliases` under `organs`"
    if numbers:
        only = ", ".join(map(in_yaml, numbers))
        remedy += f"; if the others are not labelled, add to its entry under `cohort.folders` organs: [{only}]"
        remedy += ", or where that differs from scan to scan, list them in a table with a column `organs`"
    if not found.are_all:
        remedy += "; or give each organ's number under `labels`"
    return Remark(NAMES, said, NAMED, remedy, "error")


def _as_a_file(scan: Scan, file: Path) -> str:
    """The remedy for a folder whose only file has the name of no organ: it may be a label map."""
    line = table_line(scan.case, scan.image, file, "label_map" if scan.label_map else "truth")
    return (
        f"if {file.name} has a number for each organ, list all scans of the folder in a table in place of the folder "
        f"(config/README.md), this one as\n{line}\nif it is the mask of an organ, add its name to the `aliases` of "
        "that under `organs`; which organs have a mask at all, `organs` beside the folder says"
    )


def _several(found: Named, organ: str, numbers: Sequence[int]) -> Remark:
    names = [f"{found.names[number]!r} ({number})" for number in numbers]
    remedy = "leave the one that counts, or give the other another name"
    remedy += f"; if both are parts of it, give all numbers under `labels`, with {as_yaml({organ: numbers})}"
    return Remark(NAMES, f"{' and '.join(names)} are {organ} by {found.where}", NAMED, remedy, "error")


def some(names: Sequence[str], shown: int = SHOWN) -> str:
    """The first names, and how many there are in all, if these are more."""
    return ", ".join(names[:shown]) + (f", … ({len(names)} in all)" if len(names) > shown else "")


def quoted(words: Iterable[str]) -> str:
    """The words, each in quotation marks."""
    return ", ".join(f"“{word}”" for word in words)
