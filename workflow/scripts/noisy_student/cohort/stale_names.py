"""Names that a label map has kept from earlier numbers: programs that give it others leave its header as it is."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.label_names import WANTED, Named
from noisy_student.cohort.label_volumes import voxel_counts, whole_volumes_ml
from noisy_student.cohort.organ_names import OrganNames
from noisy_student.organs import Organ
from noisy_student.reading.volume import Remark

SHOWN = 3
REMEDY = (
    "nothing, if the names are right; if they are of earlier numbers, correct or remove them (of a NIfTI header, with "
    "nibabel: image.header.extensions.clear(), then save)"
)


def numbers_in(label_map: sitk.Image) -> list[int]:
    """The numbers of a label map but 0, in order."""
    slices = sitk.GetArrayViewFromImage(label_map)
    return sorted({0}.union(*(np.unique(slice_yx).tolist() for slice_yx in slices)) - {0})


def stale_names(found: Named, label_map: sitk.Image, taken: Collection[int], organs: Sequence[Organ]) -> list[Remark]:
    """A remark where numbers in use are not `taken` by their names, though all are the label table's, for other organs.

    An error where by the names some organ's volume is absurd, and by the label table none is.
    """
    if found.are_all:
        return []
    used, meaning, table = numbers_in(label_map), OrganNames(organs), {organ.label: organ for organ in organs}
    by_name = {number: meaning.rank(found.names.get(number, "")) for number in used}
    others = [number for number, label in by_name.items() if label not in (None, number)]
    if not others or set(used) <= set(taken) or not set(used) <= set(table):
        return []
    lines = [f"{number} is {found.names[number]!r}, by the label table {table[number].name}" for number in others]
    said = f"all numbers in use are the label table's, but by {found.where} {'; '.join(lines[:SHOWN])}"
    volumes_ml = whole_volumes_ml(label_map, voxel_counts(sitk.GetArrayViewFromImage(label_map)))
    by_names = ((table[by_name[number]], volume) for number, volume in volumes_ml.items() if by_name[number])
    by_table = ((table[number], volume) for number, volume in volumes_ml.items())
    if _some_absurd(by_names) and not _some_absurd(by_table):
        return [Remark("names", f"{said}; volumes fit the label table alone", WANTED, REMEDY, "error")]
    return [Remark("names", said, WANTED, REMEDY)]


def _some_absurd(volumes_ml: Iterable[tuple[Organ, float]]) -> bool:
    """Whether some organ has a volume outside its range."""
    ranges = ((organ.volume_ml, volume) for organ, volume in volumes_ml if organ.volume_ml)
    return any(not low <= volume <= high for (low, high), volume in ranges)
