"""Segmentations of 3D Slicer (`.seg.nrrd`) as label maps: on the scan's grid, and of one layer or several.

A file may be cut to its segments or reach beyond the scan: its header says where it lies, and it is resampled to the
nearest neighbour by that alone. Layers are the components of a voxel; numbers are those within a layer.
"""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.errors import InputError
from noisy_student.geometry import Geometry, image_on, turned_like
from noisy_student.reading import nrrd
from noisy_student.reading.by_content import start_of
from noisy_student.reading.labels import whole_labels
from noisy_student.reading.nrrd_header import read_header
from noisy_student.reading.nrrd_segments import EXPORT, Stated, layers_of, segments_of
from noisy_student.reading.segments import Rank, Segment, roll_of
from noisy_student.reading.volume import Remark, Volume

# How far beyond the scan's outermost voxels a segment may reach, in voxels.
EDGE = 0.5 + 0.1


def is_segmentation(path: Path) -> bool:
    """Whether a file is a NRRD with segments in its header."""
    return start_of(path).startswith(nrrd.MAGIC) and "Segment0_ID" in read_header(path).keys


def read(path: Path, scan: Volume | None, rank: Rank | None) -> Volume:
    """The label map on the scan's grid; without a scan on its own. Raises InputError for several layers without one."""
    header = read_header(path)
    if layers_of(header) == 1:
        volume = whole_labels(path, nrrd.read(path))
        return _on_scan(volume, scan) if scan else volume
    if scan is None:
        found = f"{layers_of(header)} layers of segments that overlap, the same numbers in each"
        raise InputError(f"one label map in {path}", found, EXPORT)
    return _joined(path, list(segments_of(header)), scan, rank)


def _on_scan(volume: Volume, scan: Volume) -> Volume:
    """A label map of one layer, its numbers and names as they are."""
    if not scan.geometry.differences(Geometry.of(turned_like(volume.image, scan.geometry))):
        return volume
    remarks = (*volume.remarks, *_beyond(volume.image, scan))
    return replace(volume, image=_resampled(volume.image, scan), remarks=remarks)


def _joined(path: Path, stated: list[Stated], scan: Volume, rank: Rank | None) -> Volume:
    """Several layers as one label map: where they overlap, the higher number wins."""
    segments = [Segment(one, f"segment {place}", (one.name or f"segment {place}",)) for place, one in enumerate(stated)]
    roll = roll_of(path, segments, rank)
    by_layer = defaultdict(dict)
    for one, number in roll.numbers.items():
        by_layer[one.layer][one.value] = number
    voxels, geometry, remarks = nrrd.read_layers(path)
    labels_zyx, overlaps = np.zeros(scan.geometry.size_xyz[::-1], roll.kind), 0
    if max(by_layer, default=0) >= voxels.shape[-1]:
        found = f"a segment in layer {max(by_layer)} of {voxels.shape[-1]}, counted from 0"
        raise InputError(f"all segments' layers in {path}", found, EXPORT)
    for layer, numbers in by_layer.items():
        image = image_on(_numbered(voxels[..., layer], numbers, roll.kind), geometry)
        remarks += _beyond(image, scan)
        drawn = sitk.GetArrayFromImage(_resampled(image, scan))
        overlaps += int(np.count_nonzero((labels_zyx != 0) & (drawn != 0) & (labels_zyx != drawn)))
        np.maximum(labels_zyx, drawn, out=labels_zyx)
    roll.remarks += dict.fromkeys(remarks)
    return roll.volume(labels_zyx, scan, overlaps)


def _numbered(layer_zyx: np.ndarray, numbers: dict[int, int], kind: np.dtype) -> np.ndarray:
    found = np.zeros(layer_zyx.shape, kind)
    for value, number in numbers.items():
        found[layer_zyx == value] = number
    return found


def _resampled(image: sitk.Image, scan: Volume) -> sitk.Image:
    return sitk.Resample(image, scan.image, sitk.Transform(), sitk.sitkNearestNeighbor, 0, image.GetPixelID())


def _beyond(image: sitk.Image, scan: Volume) -> list[Remark]:
    """A remark on segments that reach beyond the scan."""
    voxels = sitk.GetArrayViewFromImage(image) != 0
    ends = (
        [np.flatnonzero(voxels.any(axis=other))[[0, -1]] for other in ((0, 1), (0, 2), (1, 2))] if voxels.any() else []
    )
    corners = np.stack(np.meshgrid(*ends), axis=-1).reshape(-1, 3) if ends else np.zeros((0, 3))
    scan_at, size = scan.geometry, np.array(scan.geometry.size_xyz)
    index = (Geometry.of(image).places_mm(corners) - scan_at.origin_mm_xyz) @ scan_at.axes / scan_at.spacing_mm_xyz
    if not ((index < -EDGE) | (index > size - 1 + EDGE)).any():
        return []
    remedy = "nothing, if the scan is a part of the one that was segmented; else give that one"
    return [Remark("beyond", "segments that reach beyond the scan, cut off there", "all segments on the scan", remedy)]
