"""What is measured and checked of one case before anything is computed with it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.scans import Scan
from noisy_student.cohort.sides import swapped_pairs
from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.images import CANONICAL_ORIENTATION, Geometry, orientation, read_image, reorient
from noisy_student.organs import Organ


@dataclass(frozen=True)
class Finding:
    """Something about a case that the user must see. Errors stop the run, warnings go into the report."""

    case: str
    file: Path
    severity: str
    found: str
    wanted: str
    remedy: str


def examine(scan: Scan, organs: Sequence[Organ]) -> tuple[dict[str, Any], list[Finding]]:
    """The case's row of the case table, and every finding. The row is empty when the scan cannot be read."""
    findings: list[Finding] = []
    try:
        image = read_image(scan.image)
    except InputError as error:
        return {}, [_unreadable(scan, scan.image, error)]
    findings += _image_findings(scan, image)
    if findings:
        return {}, findings
    for path in filter(None, (scan.label_map, scan.truth)):
        findings += label_map_findings(scan, path, image, organs)
    return _row(scan, image), findings


def _row(scan: Scan, image: sitk.Image) -> dict[str, Any]:
    voxels = sitk.GetArrayViewFromImage(image)
    low, high = np.percentile(voxels[:: max(1, len(voxels) // 50)], (0.5, 99.5))
    geometry = Geometry.of(image)
    return {
        "case": scan.case,
        "role": scan.role,
        "image": scan.image.resolve(),
        "label_map": scan.label_map.resolve() if scan.label_map else "",
        "truth": scan.truth.resolve() if scan.truth else "",
        **{f"size_{axis}": size for axis, size in zip("xyz", geometry.size_xyz, strict=True)},
        **{f"spacing_{axis}_mm": value for axis, value in zip("xyz", geometry.spacing_mm_xyz, strict=True)},
        "orientation": orientation(geometry.direction),
        "intensity_low": low,
        "intensity_high": high,
        "source": scan.image.parent.name,
        "sha256": sha256(scan.image),
        "voxels_sha256": hashlib.sha256(np.ascontiguousarray(voxels)).hexdigest(),
    }


def _image_findings(scan: Scan, image: sitk.Image) -> list[Finding]:
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        shape = f"{image.GetSize()} with {image.GetNumberOfComponentsPerPixel()} value(s) per voxel"
        wanted = "a 3-D scan with one value per voxel"
        return [_finding(scan, scan.image, shape, wanted, "export one series as one volume")]
    if not np.isfinite(sitk.GetArrayViewFromImage(image)).all():
        return [_finding(scan, scan.image, "voxels that are no numbers", "finite intensities", "export the scan again")]
    return []


def label_map_findings(scan: Scan, path: Path, image: sitk.Image, organs: Sequence[Organ]) -> list[Finding]:
    """Findings of a label map beside its scan: readable, same grid, whole known labels, sides right."""
    try:
        label_map = read_image(path)
    except InputError as error:
        return [_unreadable(scan, path, error)]
    differences = Geometry.of(image).differences(Geometry.of(label_map))
    if differences:
        found = "scan and label map differ: " + "; ".join(differences)
        return [_finding(scan, path, found, f"the grid of {scan.image}", "resample the label map")]
    values = np.unique(sitk.GetArrayViewFromImage(label_map))
    unknown = [value for value in values.tolist() if value not in range(len(organs) + 1)]
    if unknown:
        wanted = f"labels from 0 to {len(organs)}"
        remedy = "name the organs' numbers in this folder under `labels`, or correct `organs` in the configuration"
        return [_finding(scan, path, f"labels {unknown[:5]}", wanted, remedy)]
    canonical = sitk.GetArrayFromImage(reorient(label_map, CANONICAL_ORIENTATION))
    wanted, remedy = "right organs on the patient's right", "check orientation and labels"
    return [
        _finding(scan, path, f"{right.name} and {left.name} on swapped sides", wanted, remedy, "warning")
        for right, left in swapped_pairs(canonical, organs)
    ]


def _finding(scan: Scan, file: Path, found: str, wanted: str, remedy: str, severity: str = "error") -> Finding:
    return Finding(scan.case, file, severity, found, wanted, remedy)


def _unreadable(scan: Scan, file: Path, error: InputError) -> Finding:
    return _finding(scan, file, f"unreadable: {error.got}", "a readable image", "restore the file")
