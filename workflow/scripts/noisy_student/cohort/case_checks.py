"""What is measured and checked of one case before anything is computed with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.finding import Finding, of_file
from noisy_student.cohort.image_checks import image_findings, intensity_range
from noisy_student.cohort.label_checks import in_table_numbers, label_map_findings, side_findings
from noisy_student.cohort.labelled_organs import LABELS
from noisy_student.cohort.scans import Scan
from noisy_student.cohort.traces import trace_columns
from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.images import (
    CANONICAL_ORIENTATION,
    Geometry,
    checksum,
    orientation,
    read_image,
    reorient,
    write_image,
)
from noisy_student.organs import Organ


def examine(scan: Scan, organs: Sequence[Organ], renumbered: Path) -> tuple[dict[str, Any], list[Finding]]:
    """The case's row of the case table, and every finding. The row is empty when the scan cannot be used.

    A label map with other numbers is written to the folder `renumbered` with the label table's, and the row names that.
    The row also says under `labels` which organs the label map has.
    """
    try:
        image = read_image(scan.image)
    except InputError as error:
        return {}, [_unreadable(scan, scan.image, error)]
    findings = image_findings(scan, image)
    if any(finding.severity == "error" for finding in findings):
        return {}, findings
    row = _row(scan, image)
    for column, path in (("label_map", scan.label_map), ("truth", scan.truth)):
        # One that is not there is found with all others, of which one may have its place.
        if path and path.exists():
            row[column], row[LABELS], found = _label_map(scan, path, Geometry.of(image), organs, renumbered)
            row["labels_sha256"] = sha256(row[column]) if row[column].is_file() else ""
            findings += found
    return row, findings


def _label_map(
    scan: Scan, path: Path, geometry: Geometry, organs: Sequence[Organ], renumbered: Path
) -> tuple[Path, list[int], list[Finding]]:
    """Where the label map lies in the table's numbers, which labels it has, and what was found."""
    try:
        label_map = read_image(path)
    except InputError as error:
        return path, [], [_unreadable(scan, path, error)]
    findings = label_map_findings(scan, path, label_map, geometry, organs)
    if any(finding.severity == "error" for finding in findings):
        return path, [], findings
    label_map = in_table_numbers(scan, label_map, organs)
    findings += side_findings(scan, path, label_map, organs)
    labels = np.unique(sitk.GetArrayViewFromImage(label_map)).astype(int).tolist()
    if scan.labels is None:
        return path.resolve(), labels, findings
    target = renumbered / f"{scan.case}.nii.gz"
    write_image(label_map, target)
    return target, labels, findings


def _row(scan: Scan, image: sitk.Image) -> dict[str, Any]:
    voxels = sitk.GetArrayViewFromImage(image)
    low, high = intensity_range(voxels)
    geometry = Geometry.of(image)
    turned = reorient(image, CANONICAL_ORIENTATION)  # A view does not keep its image alive.
    return {
        "case": scan.case,
        "role": scan.role,
        "image": scan.image.resolve(),
        "label_map": "",
        "truth": "",
        **{f"size_{axis}": size for axis, size in zip("xyz", geometry.size_xyz, strict=True)},
        **{f"spacing_{axis}_mm": value for axis, value in zip("xyz", geometry.spacing_mm_xyz, strict=True)},
        "orientation": orientation(geometry.direction),
        "intensity_low": low,
        "intensity_high": high,
        "source": scan.source,
        "sha256": checksum(scan.image),
        "labels_sha256": "",
        **trace_columns(sitk.GetArrayViewFromImage(turned)),
    }


def _unreadable(scan: Scan, file: Path, error: InputError) -> Finding:
    make_error, _ = of_file(scan, file)
    return make_error(error.got, error.wanted, error.remedy)
