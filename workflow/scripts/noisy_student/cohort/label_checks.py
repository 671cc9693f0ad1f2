"""Does a label map belong to its scan and to the label table, and do left and right organs lie on their sides?"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.finding import Finding, of_file
from noisy_student.cohort.numbering import renumbered
from noisy_student.cohort.scans import Scan
from noisy_student.cohort.sides import swapped_pairs
from noisy_student.images import CANONICAL_ORIENTATION, Geometry, image_like, reorient, unlike_a_volume
from noisy_student.organs import Organ


def label_map_findings(
    scan: Scan, path: Path, label_map: sitk.Image, geometry: Geometry, organs: Sequence[Organ]
) -> list[Finding]:
    """Findings of a label map in its own numbers beside its scan: same grid, whole and known labels, some organ."""
    error, warning = of_file(scan, path)
    if found := unlike_a_volume(label_map):
        return [
            error(found, "a 3-D label map with one number per voxel", "export one label map, no colours or channels")
        ]
    if differences := geometry.differences(Geometry.of(label_map)):
        found = "scan and label map differ: " + "; ".join(differences)
        return [error(found, f"the grid of {scan.image}", "resample the label map to it (nearest neighbour)")]
    values = np.unique(sitk.GetArrayViewFromImage(label_map))
    if fractions := [value for value in values.tolist() if not float(value).is_integer()]:
        return [error(f"labels {fractions[:5]}", "whole numbers", "resample label maps with nearest neighbour")]
    if scan.labels is None and (unknown := [value for value in values.tolist() if not 0 <= value <= len(organs)]):
        remedy = "give the organs' numbers in this folder under `labels`, or correct `organs`"
        return [error(f"labels {unknown[:5]}", f"labels from 0 to {len(organs)}", remedy)]
    if not values.any():
        return [warning("no organ", "a label map", "look whether the right file was exported")]
    return []


def side_findings(scan: Scan, path: Path, label_map: sitk.Image, organs: Sequence[Organ]) -> list[Finding]:
    """Warnings about left and right organs, of a label map in the table's numbers."""
    _, warning = of_file(scan, path)
    canonical = sitk.GetArrayFromImage(reorient(label_map, CANONICAL_ORIENTATION))
    wanted, remedy = "right organs on the patient's right", "check orientation and labels"
    return [
        warning(f"{right.name} and {left.name} on swapped sides", wanted, remedy)
        for right, left in swapped_pairs(canonical, organs)
    ]


def in_table_numbers(scan: Scan, label_map: sitk.Image, organs: Sequence[Organ]) -> sitk.Image:
    """The label map with the label table's numbers."""
    if scan.labels is None:
        return label_map
    return image_like(renumbered(sitk.GetArrayViewFromImage(label_map), scan.labels, organs), label_map)
