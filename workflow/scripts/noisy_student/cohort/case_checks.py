"""What is measured and checked of one case before anything is computed with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.image_checks import intensity_range, scan_remarks
from noisy_student.cohort.label_checks import (
    beyond_remarks,
    grid_remarks,
    in_table_numbers,
    label_map_remarks,
    side_remarks,
    with_labels,
)
from noisy_student.cohort.label_volumes import VOLUMES, voxel_counts, whole_volumes_ml
from noisy_student.cohort.labelled_organs import LABELLED_SHARE, LABELS, ORGANS, labelled_in
from noisy_student.cohort.left_over import BEYOND, left_over, other_numbers_remarks
from noisy_student.cohort.numbers_by_name import NAMES, numbering_of
from noisy_student.cohort.organ_names import OrganNames
from noisy_student.cohort.patients import patient_in
from noisy_student.cohort.scans import Scan
from noisy_student.cohort.told_apart import told_apart
from noisy_student.cohort.traces import trace_columns
from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.geometry import turned_like
from noisy_student.images import write_image
from noisy_student.organs import Organ
from noisy_student.reading.by_content import data_files
from noisy_student.reading.door import checksum, read_label_map, read_scan
from noisy_student.reading.masks import names_in
from noisy_student.reading.volume import ACCEPTABLE, Remark, Volume
from noisy_student.sparse import ignore_label

ACCEPTED = "nothing: the case or its source is named under `cohort.accept`"
# Where the only organs that are labelled are a pair that cannot be told apart.
LEFT_OUT = Remark("sides", "no organ counts as labelled", "one organ or more", "nothing: the scan is left out")
NOT_JUDGED = replace(LEFT_OUT, remedy="nothing: the scan counts as one without a truth")
Spacing = tuple[float, float, float] | None


@dataclass(frozen=True)
class Standard:
    """What every case of a cohort is held to.

    `spacings_mm_zyx` are those of the configured networks, `accepted` the cases and sources whose scans need not be
    CT, or one acquisition, `renumbered` the folder of label maps that had to be changed.
    """

    organs: Sequence[Organ]
    renumbered: Path
    spacings_mm_zyx: Sequence[Spacing] = ()
    accepted: Sequence[str] = ()


def examine(scan: Scan, standard: Standard) -> tuple[dict[str, Any], list[Finding]]:
    """The case's row of the case table, and every finding. The row is empty when the scan cannot be used.

    A label map that only this project reads so, or that has other numbers, is written to `standard.renumbered` in
    canonical orientation with the label table's numbers, and the row names that. The row also says under `labels`
    which organs the label map has, under `organs` which are labelled in it, and under `volumes_ml` how large they are.
    Where there are voxels that nobody labelled, `labelled_share` is the share of the others, and no volume is known.
    A label map in which no organ counts as labelled is not used: where the table names no organ, all are labelled.
    """
    try:
        volume = read_scan(scan.image)
    except InputError as error:
        return {}, [_unreadable(scan, scan.image, error)]
    remarks = [_accepted(remark, scan, standard) for remark in scan_remarks(volume, standard.spacings_mm_zyx)]
    findings = _findings(scan, scan.image, remarks)
    if any(finding.severity == "error" for finding in findings):
        return {}, findings
    row = _row(scan, volume) | patient_in(scan, volume)
    for column, path in (("label_map", scan.label_map), ("truth", scan.truth)):
        # One that is not there is found with all others, of which one may have its place.
        if path and path.exists():
            file, measured, found = _label_map(scan, path, volume, standard)
            findings += found
            if measured.get(ORGANS) == [] and labelled_in(standard.organs, scan.organs):
                findings += _findings(scan, path, [NOT_JUDGED if scan.truth else LEFT_OUT])
                return row if scan.truth else {}, findings
            is_refused = any(finding.severity == "error" for finding in found)
            row |= {column: file, "labels_sha256": "" if is_refused else sha256(file)} | measured
    return row, findings


def _accepted(remark: Remark, scan: Scan, standard: Standard) -> Remark:
    """The remark, as a warning if the user has said that the scan is to be used all the same."""
    is_accepted = remark.kind in ACCEPTABLE and {scan.case, scan.source} & set(standard.accepted)
    return replace(remark, severity="warning", remedy=ACCEPTED) if is_accepted else remark


def _findings(scan: Scan, file: Path, remarks: Sequence[Remark]) -> list[Finding]:
    return [Finding(scan.case, file, remark.severity, remark.found, remark.wanted, remark.remedy) for remark in remarks]


def _label_map(scan: Scan, path: Path, volume: Volume, standard: Standard) -> tuple[Path, dict, list[Finding]]:
    """Where the label map lies in the table's numbers, which labels of which volume it has, and what was found."""
    checked, findings = check_label_map(scan, path, volume, standard)
    if checked is None:
        return path, {}, findings
    if remarks := other_numbers_remarks(checked.measured, standard.organs):
        return path, {}, [*findings, *_findings(scan, path, remarks)]
    if checked.is_as_stored:
        return _where(path), checked.measured, findings
    target = standard.renumbered / f"{scan.case}.nii.gz"
    write_image(checked.image, target)
    return target, checked.measured, findings


@dataclass(frozen=True)
class CheckedLabelMap:
    """A label map in canonical orientation with the label table's numbers (uint8), and what it has (`examine`).

    `drawn`: the same with what is drawn of organs that are not labelled there. `is_as_stored`: whether any reader finds
    the same as `image` in its file.
    """

    image: sitk.Image
    drawn: sitk.Image
    measured: dict[str, Any]
    is_as_stored: bool


def check_label_map(
    scan: Scan, path: Path, volume: Volume, standard: Standard
) -> tuple[CheckedLabelMap | None, list[Finding]]:
    """A label map of a scan, whose voxels are `volume`, and every finding; no label map if one is an error."""
    labelled = labelled_in(standard.organs, scan.organs)
    try:
        stored = read_label_map(path, volume, OrganNames(standard.organs, labelled).rank, _masks_of(scan, path))
    except InputError as error:
        return None, [_unreadable(scan, path, error)]
    numbering, remarks = numbering_of(scan, path, stored, standard.organs, labelled)
    in_own_numbers = turned_like(stored.image, volume.geometry)
    remarks += stored.remarks
    remarks += grid_remarks(scan, stored, in_own_numbers, volume) or label_map_remarks(scan, in_own_numbers, numbering)
    if any(remark.severity == "error" for remark in remarks):
        return None, _findings(scan, path, remarks)
    label_map = in_table_numbers(in_own_numbers, numbering, standard.organs)
    label_map, unclear, found = told_apart(label_map, volume.image, numbering.numbers, standard.organs)
    labelled = [label for label in labelled if label not in unclear]
    drawn = label_map
    ignore = ignore_label(standard.organs)
    label_map, beyond = with_labels(drawn, [*labelled, ignore])
    remarks += [*found, *beyond_remarks(beyond, standard.organs)]
    findings = _findings(scan, path, [*remarks, *side_remarks(label_map, standard.organs)])
    counts = voxel_counts(sitk.GetArrayViewFromImage(label_map))
    is_sparse = len(counts) > ignore
    measured = {
        LABELS: np.flatnonzero(counts[:ignore]).tolist(),
        ORGANS: labelled,
        VOLUMES: {} if is_sparse else whole_volumes_ml(label_map, counts),
        **({LABELLED_SHARE: counts[:ignore].sum() / counts.sum()} if is_sparse else {}),
        **({NAMES: numbering.taken} if numbering.taken else {}),
        **({BEYOND: beyond} if numbering.numbers is None and scan.organs is not None else {}),
        **left_over(in_own_numbers, None if numbering.taken else numbering.numbers),
    }
    is_as_stored = stored.is_plain and _are_equal(label_map, in_own_numbers)
    return CheckedLabelMap(sitk.Cast(label_map, sitk.sitkUInt8), drawn, measured, is_as_stored), findings


def _masks_of(scan: Scan, path: Path) -> dict[Path, str]:
    """The masks of a scan by name, where its label map is a folder of them; the scan itself may lie there, too."""
    in_folder = names_in(path) if path.is_dir() and not scan.masks else {}
    return dict(scan.masks) or {file: name for file, name in in_folder.items() if file != scan.image}


def _are_equal(one: sitk.Image, other: sitk.Image) -> bool:
    return one is other or np.array_equal(*map(sitk.GetArrayViewFromImage, (one, other)))


def _where(file: Path) -> Path:
    """Where a file or folder lies, links followed; a header stays in the folder that its voxels were found in."""
    return file.parent.resolve() / file.name if data_files(file) else file.resolve()


def _row(scan: Scan, volume: Volume) -> dict[str, Any]:
    voxels = sitk.GetArrayViewFromImage(volume.image)
    low, high = intensity_range(voxels)
    geometry = volume.geometry
    return {
        "case": scan.case,
        "role": scan.role,
        "image": _where(scan.image),
        "label_map": "",
        "truth": "",
        **{f"size_{axis}": size for axis, size in zip("xyz", geometry.size_xyz, strict=True)},
        **{f"spacing_{axis}_mm": value for axis, value in zip("xyz", geometry.spacing_mm_xyz, strict=True)},
        "orientation": volume.letters,
        "corrected": volume.corrected,
        "intensity_low": low,
        "intensity_high": high,
        "source": scan.source,
        "sha256": checksum(scan.image),
        "labels_sha256": "",
        **trace_columns(voxels),
    }


def _unreadable(scan: Scan, file: Path, error: InputError) -> Finding:
    return Finding(scan.case, file, "error", error.got, error.wanted, error.remedy)
