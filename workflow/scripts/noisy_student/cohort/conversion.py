"""Scans and label maps brought to canonical orientation and one format."""

from pathlib import Path

import SimpleITK as sitk

from noisy_student.cohort.converted import FORMAT
from noisy_student.files import link
from noisy_student.geometry import CANONICAL_ORIENTATION, turned_like
from noisy_student.images import read_geometry, read_image, write_image
from noisy_student.reading.door import read_label_map, read_scan
from noisy_student.reading.nifti import plain_orientation


def convert(source: Path, target: Path) -> None:
    """Write a scan as `target` in canonical orientation; link it where nothing has to change."""
    if source.name.endswith(FORMAT) and plain_orientation(source) == CANONICAL_ORIENTATION:
        link(source, target)
        return
    write_image(read_scan(source).image, target)


def convert_label_map(source: Path, target: Path, converted: Path) -> None:
    """Write a label map, in the label table's numbers, as `target` along the axes of its converted scan, uint8.

    An axis halfway between two of the patient's may be rounded to the one in the scan and to the other here.
    """
    label_map = turned_like(read_label_map(source).image, read_geometry(converted))
    write_image(sitk.Cast(label_map, sitk.sitkUInt8), target)


def is_whole(path: Path) -> bool:
    """Whether `path` is there and every voxel of it can be read."""
    try:
        return path.exists() and read_image(path).GetDimension() == 3
    except Exception:
        return False
