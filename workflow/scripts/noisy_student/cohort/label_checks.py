"""Does a label map belong to its scan and to the label table, and do left and right organs lie on their sides?

Label maps are asked as they lie on the scan's canonical grid.
"""

from collections.abc import Collection, Sequence

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.image_checks import FAT_BELOW_HU
from noisy_student.cohort.numbers_by_name import Numbering
from noisy_student.cohort.scans import Scan
from noisy_student.cohort.sides import swapped_pairs
from noisy_student.cohort.unlabelled_voxels import unlabelled_remarks
from noisy_student.configuration.numbering import renumbered
from noisy_student.geometry import image_like
from noisy_student.organs import Organ
from noisy_student.reading.other_grid import grid_differences, grid_remedy
from noisy_student.reading.volume import Remark, Volume

# No label table has so many numbers: a scan's intensities, or a map of probabilities.
MOST_NUMBERS = 500


def grid_remarks(scan: Scan, stored: Volume, turned: sitk.Image, volume: Volume) -> list[Remark]:
    """An error if a label map, as stored and `turned_like` its scan, does not lie on the grid of that (`volume`)."""
    if not (differences := grid_differences(stored, turned, volume)):
        return []
    found = "scan and label map differ: " + "; ".join(differences)
    remedy = f"give this scan's label map; {grid_remedy(stored, volume)}"
    return [Remark("grid", found, f"the grid of {scan.image}", remedy, "error")]


def label_map_remarks(scan: Scan, label_map: sitk.Image, numbering: Numbering) -> list[Remark]:
    """What is wrong with a label map in its own numbers: known numbers, some organ."""
    values = np.unique(sitk.GetArrayViewFromImage(label_map))
    if len(values) > MOST_NUMBERS or values[0] < FAT_BELOW_HU:
        found = f"{len(values)} different numbers, from {values[0]} to {values[-1]}: a scan's intensities"
        return [Remark("labels", found, "a label map", "name the label map in its place", "error")]
    if unknown := [value for value in values.tolist() if not numbering.knows(value)]:
        return [Remark("labels", f"labels {unknown[:5]}", *numbering.wanted, "error")]
    if remarks := unlabelled_remarks(label_map, numbering.ignored, scan.role == "labelled"):
        return remarks
    if not values.any():
        return [Remark("empty", "no organ", "a label map", "look whether the right file was exported")]
    return []


def side_remarks(label_map: sitk.Image, organs: Sequence[Organ]) -> list[Remark]:
    """Warnings about left and right organs, of a canonical label map in the table's numbers."""
    wanted, remedy = "right organs on the patient's right", "check orientation and labels"
    return [
        Remark("sides", f"{right.name} and {left.name} on swapped sides", wanted, remedy)
        for right, left in swapped_pairs(sitk.GetArrayViewFromImage(label_map), organs)
    ]


def with_labels(label_map: sitk.Image, labelled: Collection[int]) -> tuple[sitk.Image, list[int]]:
    """The label map with these labels alone, others as background, and which others it has."""
    array = sitk.GetArrayViewFromImage(label_map)
    beyond = [label for label in np.unique(array).tolist() if label and label not in labelled]
    if not beyond:
        return label_map, []
    return image_like(np.where(np.isin(array, beyond), 0, array), label_map), beyond


def beyond_remarks(beyond: Sequence[int], organs: Sequence[Organ]) -> list[Remark]:
    """A warning about organs in a label map of which it is said that they are not labelled there."""
    names = ", ".join(organ.name for organ in organs if organ.label in beyond)
    remedy = "name them under `organs` if they are labelled wherever they are; as it is they are left out"
    found = f"{names} in the label map, though `organs` does not name them"
    return [Remark("organs", found, "the organs that are labelled, and no others", remedy)] if beyond else []


def in_table_numbers(label_map: sitk.Image, numbering: Numbering, organs: Sequence[Organ]) -> sitk.Image:
    """The label map with the label table's numbers."""
    if numbering.numbers is None:
        return label_map
    return image_like(renumbered(sitk.GetArrayViewFromImage(label_map), numbering.numbers, organs), label_map)
