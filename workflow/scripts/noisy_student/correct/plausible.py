"""Whether a label map may be one that was handed out, corrected: its numbers, its organs, and the names in it."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.case_checks import CheckedLabelMap
from noisy_student.cohort.numbers_by_name import NAMES
from noisy_student.cohort.organ_names import OrganNames
from noisy_student.organs import Organ
from noisy_student.overlap import slice_overlaps
from noisy_student.reading.volume import Remark

# An organ has another's number where its own shares less than the first DSC with what was handed out, and that one
# more than the second.
NOT_IT, ANOTHER = 0.1, 0.5
# Of the organs that were handed out so many have another number, or fewer than this share are left.
MOVED, LEFT = 2, 1 / 3


def doubts(
    checked: CheckedLabelMap, corrected: Collection[int], handed_out_zyx: np.ndarray | None, organs: Sequence[Organ]
) -> Iterator[Remark]:
    """Errors of a sound label map, where the organs `corrected` count. `handed_out_zyx` (canonical): None if unknown.

    One of another size was of another scan. Names count that are those of its own segments, as a person saw them; they
    are right about the numbers.
    """
    taken = checked.measured.get(NAMES)
    names = taken.organs if taken and (taken.are_all or not taken.lists_all) else {}
    yield from unknown_names(names, organs)
    drawn_zyx = sitk.GetArrayViewFromImage(checked.drawn)
    if handed_out_zyx is None or handed_out_zyx.shape != drawn_zyx.shape:
        return
    if not names:
        yield from other_numbers(handed_out_zyx, drawn_zyx, organs)
    yield from gone(handed_out_zyx, drawn_zyx, organs, corrected, names.values())


def unknown_names(names: Mapping[str, str], organs: Sequence[Organ]) -> Iterator[Remark]:
    """An error for names (→ organ of the table, or empty) of what is no organ at all, and would be background."""
    meaning = OrganNames(organs)
    if unknown := [name for name, organ in names.items() if not organ and not meaning.is_known(name)]:
        remedy = "give each the name of its organ, or delete it and draw its voxels as the organ that they are"
        yield Remark("names", f"no organ's names: {', '.join(unknown[:5])}", "the organs' names", remedy, "error")


def other_numbers(handed_out_zyx: np.ndarray, drawn_zyx: np.ndarray, organs: Sequence[Organ]) -> Iterator[Remark]:
    """An error where organs have others' numbers, as in a mask of one organ, or in an export that counts anew.

    Twins may have been on swapped sides.
    """
    overlaps = slice_overlaps(handed_out_zyx, drawn_zyx, max(organ.label for organ in organs)).sum(0)
    sizes = overlaps.sum(1)[:, None] + overlaps.sum(0)
    dice = 2 * overlaps / np.maximum(sizes, 1)
    moved = [
        f"{organ.name} ({organ.label}) is {other.label} ({other.name})"
        for organ in organs
        for other in organs
        if organ.name != other.left_twin and other.name != organ.left_twin
        if dice[organ.label, organ.label] < NOT_IT and dice[organ.label, other.label] > ANOTHER
    ]
    if len(moved) >= min(MOVED, np.count_nonzero(overlaps[:, 1:].sum(0))) > 0:
        found = f"other numbers than in the label map that was handed out: {', '.join(moved[:5])}"
        remedy = "save it with these numbers; if they are right as they are, with names, as .seg.nrrd"
        yield Remark("labels", found, "the numbers that were handed out", remedy, "error")


def gone(
    handed_out_zyx: np.ndarray,
    drawn_zyx: np.ndarray,
    organs: Sequence[Organ],
    corrected: Collection[int],
    named: Collection[str],
) -> Iterator[Remark]:
    """An error where most of the corrected organs that were handed out are neither drawn nor named."""
    before, after = (set(np.unique(labels).tolist()) for labels in (handed_out_zyx, drawn_zyx))
    there = [organ for organ in organs if organ.label in before and organ.label in corrected]
    missing = [organ.name for organ in there if organ.label not in after and organ.name not in named]
    if len(there) > 1 and len(there) - len(missing) < LEFT * len(there):
        found = f"{len(missing)} of {len(there)} organs that were handed out are not in it: {', '.join(missing)}"
        remedy = (
            "save all organs in one file; if the others were not looked through, name those that were, in organs.tsv "
            "beside it, or for all files as corrections: {organs: […]}; if they really are not there, leave their "
            "segments empty in a .seg.nrrd"
        )
        yield Remark("organs", found, "what was handed out, corrected", remedy, "error")
