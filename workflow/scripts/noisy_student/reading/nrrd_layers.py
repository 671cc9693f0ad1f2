"""Segmentations of 3D Slicer (`.seg.nrrd`), and groups of MITK's labels, as label maps on the scan's grid.

A file may be cut to its segments or reach beyond the scan: its header says where it lies, and it is resampled to the
nearest neighbour by that alone. One that is no piece of the scan's grid may be of another scan. Layers are the
components of a voxel; numbers are those within a layer.
"""

from collections import defaultdict
from collections.abc import Sequence
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
from noisy_student.reading.nrrd_segments import Stated, export_of, has_layers_of_names, layers_of, segments_of
from noisy_student.reading.segments import Rank, Segment, roll_of
from noisy_student.reading.volume import Remark, Volume

# How far beyond the scan's outermost voxels a segment may reach, in voxels.
EDGE = 0.5 + 0.1
# From which share of its voxels beyond the scan on a segmentation on another grid is one of another scan.
HALF = 0.5


def is_segmentation(path: Path) -> bool:
    """Whether a file is a NRRD with segments in its header. One group of MITK's labels is a label map with numbers."""
    return start_of(path).startswith(nrrd.MAGIC) and has_layers_of_names(read_header(path))


def read(path: Path, scan: Volume | None, rank: Rank | None) -> Volume:
    """The label map on the scan's grid; without a scan on its own. Raises InputError for several layers without one."""
    header = read_header(path)
    if layers_of(header) == 1:
        volume = whole_labels(path, nrrd.read(path))
        return _on_scan(path, volume, scan) if scan else volume
    if scan is None:
        found = f"{layers_of(header)} layers of segments that overlap, the same numbers in each"
        raise InputError(f"one label map in {path}", found, export_of(header))
    return _joined(path, list(segments_of(header)), scan, rank)


def _on_scan(path: Path, volume: Volume, scan: Volume) -> Volume:
    """A label map of one layer, its numbers and names as they are."""
    if not scan.geometry.differences(Geometry.of(turned_like(volume.image, scan.geometry))):
        return volume
    labelled = sitk.GetArrayViewFromImage(volume.image) != 0
    remarks = (*volume.remarks, *_place(path, labelled, volume.geometry, scan))
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
    labelled = np.zeros(voxels.shape[:-1], bool)
    if max(by_layer, default=0) >= voxels.shape[-1]:
        found = f"a segment in layer {max(by_layer)} of {voxels.shape[-1]}, counted from 0"
        raise InputError(f"all segments' layers in {path}", found, export_of(read_header(path)))
    for layer, numbers in by_layer.items():
        numbered = _numbered(voxels[..., layer], numbers, roll.kind)
        labelled |= numbered != 0
        drawn = sitk.GetArrayFromImage(_resampled(image_on(numbered, geometry), scan))
        overlaps += int(np.count_nonzero((labels_zyx != 0) & (drawn != 0) & (labels_zyx != drawn)))
        np.maximum(labels_zyx, drawn, out=labels_zyx)
    roll.remarks += [*remarks, *_place(path, labelled, geometry, scan)]
    return roll.volume(labels_zyx, scan, overlaps)


def _numbered(layer_zyx: np.ndarray, numbers: dict[int, int], kind: np.dtype) -> np.ndarray:
    found = np.zeros(layer_zyx.shape, kind)
    for value, number in numbers.items():
        found[layer_zyx == value] = number
    return found


def _resampled(image: sitk.Image, scan: Volume) -> sitk.Image:
    return sitk.Resample(image, scan.image, sitk.Transform(), sitk.sitkNearestNeighbor, 0, image.GetPixelID())


def _place(path: Path, labelled_zyx: np.ndarray, own: Geometry, scan: Volume) -> list[Remark]:
    """Remarks on segments that reach beyond the scan or lie on another grid.

    Raises InputError where none of their voxels lies within the scan, or on another grid less than half.
    """
    if not labelled_zyx.any():
        return []
    differences = _differences(labelled_zyx, own, scan.geometry)
    inside = _share_inside(labelled_zyx, own, scan.geometry)
    if not inside or (differences and inside < HALF):
        found = f"{inside:.0%} of its voxels there"
        found += f"; another grid, the scan's and its own: {'; '.join(differences)}" if differences else ""
        raise InputError(f"the segments of {path} within their scan", found, "give the scan that was segmented")
    return [*_foreign(differences), *(_beyond() if inside < 1 else [])]


def _differences(labelled_zyx: np.ndarray, own: Geometry, scan: Geometry) -> list[str]:
    """In what a grid differs from the piece of the scan's, or of its continuation, that is nearest to it."""
    turned = Geometry.of(turned_like(image_on(labelled_zyx.astype(np.uint8), own), scan))
    middle = (np.array([turned.size_xyz], float) - 1) / 2
    start = np.rint(_index(turned.places_mm(middle), scan) - middle)
    origin = tuple(map(float, scan.places_mm(start)[0]))
    return Geometry(turned.size_xyz, scan.spacing_mm_xyz, origin, scan.direction).differences(turned)


def _share_inside(labelled_zyx: np.ndarray, own: Geometry, scan: Geometry) -> float:
    """Which share of labelled voxels has its centre within the scan."""
    inside, last = 0, np.array(scan.size_xyz) - 1
    for z, slice_yx in enumerate(labelled_zyx):
        y, x = np.nonzero(slice_yx)
        index = _index(own.places_mm(np.column_stack([x, y, np.full(len(x), z)])), scan)
        inside += np.count_nonzero(((index >= -EDGE) & (index <= last + EDGE)).all(axis=1))
    return inside / np.count_nonzero(labelled_zyx)


def _index(places_mm: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Where places (n, 3) are on a grid, in voxels."""
    return (places_mm - geometry.origin_mm_xyz) @ geometry.axes / geometry.spacing_mm_xyz


def _foreign(differences: Sequence[str]) -> list[Remark]:
    found = f"another grid, resampled onto the scan's; the scan's and its own: {'; '.join(differences)}"
    remedy = "make sure that it is of this scan: nothing, if it was drawn on a finer or coarser grid of it"
    return [Remark("grid", found, "segments on the scan's grid, or a piece of it", remedy)] if differences else []


def _beyond() -> list[Remark]:
    remedy = "nothing, if the scan is a part of the one that was segmented; else give that one"
    return [Remark("beyond", "segments that reach beyond the scan, cut off there", "all segments on the scan", remedy)]
