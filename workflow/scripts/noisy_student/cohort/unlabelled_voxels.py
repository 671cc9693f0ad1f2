"""Voxels that nobody labelled: which numbers mean them, and in which label maps there may be such."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.label_names import Named
from noisy_student.configuration.numbering import Numbers, numbers_of
from noisy_student.reading.volume import Remark
from noisy_student.sparse import IGNORE, is_ignore

WANTED = "every voxel labelled, or background"


def ignored_numbers(found: Named, labels: Numbers) -> list[int]:
    """The numbers that mean such voxels, by `labels` or by the names of a label map's numbers."""
    by_labels = numbers_of(labels, IGNORE) if IGNORE in labels else []
    return sorted({*by_labels, *(number for number, name in found.names.items() if is_ignore(name))})


def ambiguous(found: Named, numbers: Mapping[str, Sequence[int]], ignored: Collection[int]) -> list[Remark]:
    """Errors: a number that is an organ's and `ignore`, or a mask or segment of this name, which is not read.

    `numbers` are those of the organs.
    """
    if found.are_all and any(map(is_ignore, found.names.values())):
        said = f"{IGNORE!r} in {found.where}: masks and segments that say what nobody labelled are not read"
        remedy = f"give a label map with a number for each organ, and one under `labels` for {IGNORE}; or take it away"
        return [Remark(IGNORE, said, "one number for what nobody labelled", remedy, "error")]
    both = [f"{number} is {name} and {IGNORE}" for name, own in numbers.items() for number in own if number in ignored]
    where = f" by `labels` and {found.where}" if found.where else ""
    remedy = "correct the number under `labels`, or the name in dataset.json"
    return [Remark(IGNORE, f"{'; '.join(both)}{where}", "each number one thing", remedy, "error")] if both else []


def unlabelled_remarks(label_map: sitk.Image, ignored: Collection[int], is_learned: bool) -> list[Remark]:
    """What is to be said of such voxels of a label map in its own numbers, which is learned from, or else judges.

    An error where it judges, or where no voxel is labelled; warnings where among those that are labelled no organ is,
    or no background.
    """
    voxels = sitk.GetArrayViewFromImage(label_map)
    is_ignored = np.isin(voxels, list(ignored)) if ignored else np.zeros(1, bool)
    share = is_ignored.mean()
    if not share:
        return []
    said = f"{share:.1%} of its voxels are {', '.join(map(str, ignored))}, {IGNORE!r}: nobody labelled them"
    if not is_learned:
        remedy = (
            "label them, or leave the scan out: only labelled scans, which are learned from, may have such voxels; "
            "scores and corrections are of all voxels"
        )
        return [Remark(IGNORE, said, WANTED, remedy, "error")]
    labelled = voxels[~is_ignored]
    if not labelled.size:
        remedy = f"look whether {IGNORE} has the right number, or leave the scan out"
        return [Remark(IGNORE, said, "some voxels labelled", remedy, "error")]
    remarks = []
    if not labelled.any():
        remedy = "look whether the right file was exported: it teaches background alone"
        remarks.append(Remark(IGNORE, f"{said}; no organ in the others", "an organ among the labelled voxels", remedy))
    if labelled.all():
        remedy = "label some background too, with 0: what no scan shows as background is marked as some organ"
        remarks.append(Remark(IGNORE, f"{said}; no background in the others", "background among them", remedy))
    return remarks
