"""The one door for scans and the one for label maps: the format is told by content, whatever the name says."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.reading import masks, nrrd_layers
from noisy_student.reading.by_content import files_of, read_file
from noisy_student.reading.dicom import segmentation, series, structure_set
from noisy_student.reading.dicom.files import dicom_files
from noisy_student.reading.dicom.objects import SEGMENTATION, kind_of, only_one_in
from noisy_student.reading.labels import whole_labels
from noisy_student.reading.problems import CHANNELS, ONE_LABEL_MAP
from noisy_student.reading.segments import Rank
from noisy_student.reading.volume import Volume


def read_scan(path: Path) -> Volume:
    """A scan: a file of any known format, or the folder of a DICOM series. Raises InputError if there is none."""
    return series.read(path) if path.is_dir() else read_file(path)


def read_label_map(
    path: Path, scan: Volume | None = None, rank: Rank | None = None, masks_of_case: Mapping[Path, str] | None = None
) -> Volume:
    """A label map of whole numbers: a file of any known format, or the folder of its masks or of its one DICOM file.

    Masks, DICOM segmentations, structure sets and layers of a `.nrrd` have names instead of numbers. They become
    one label map on the grid of `scan`, in which an organ's number is its `rank`: the label of the organ that a name
    means, None for a name that is none of the organs. Those are not read; without a `rank` all are, numbered in their
    order. Where segments overlap, the higher number wins. Numbers of a file that has them are left as they are.
    `masks_of_case`, file → name, are those that count in a folder with masks of several cases.

    Raises InputError if it is none, or for what lies on a scan where none is given.
    """
    if path.is_dir():
        if names := masks_of_case or masks.names_in(path):
            return masks.read(path, names, scan, rank)
        path = only_one_in(path)
    if kind := kind_of(path):
        read = segmentation.read if kind == SEGMENTATION else structure_set.read
        return read(path, _required(path, kind, scan), rank)
    if nrrd_layers.is_segmentation(path):
        return nrrd_layers.read(path, scan, rank)
    return whole_labels(path, _read_file(path))


def _read_file(path: Path) -> Volume:
    """The same as of a scan; an error about several values a voxel with the remedy for a label map."""
    try:
        return read_file(path)
    except InputError as error:
        if error.remedy == CHANNELS:
            raise InputError(error.wanted, error.got, ONE_LABEL_MAP) from error
        raise


def _required(path: Path, kind: str, scan: Volume | None) -> Volume:
    if scan is None:
        remedy = "name it beside its scan, in a cohort; alone, convert it to NIfTI on the scan's grid"
        raise InputError(f"a label map with a grid of its own at {path}", f"{kind}, which lies on a scan", remedy)
    return scan


def checksum(path: Path) -> str:
    """SHA-256 of a file, or of all that a scan or label map is made of: slices without their names, masks with them."""
    files = dicom_files(path) if path.is_dir() else files_of(path)
    if files == [path]:
        return sha256(path)
    named = [f"{mask.name} {sha256(mask)}" for mask in masks.files_in(path)] if path.is_dir() else []
    return hashlib.sha256("".join(sorted([*map(sha256, files), *named])).encode()).hexdigest()


def require_unchanged(path: Path, expected: str) -> None:
    """Raise InputError unless a scan or label map still is what it was when it was checked."""
    if (found := checksum(path)) != expected:
        raise InputError(
            f"{path} as it was when it was checked (SHA-256 {expected})",
            f"another content (SHA-256 {found})",
            "restore the file, or check the scans again: snakemake -R case_table",
        )
