"""Volumes that are absurd for an organ's name: another organ under the number, a wrong spacing, a slip of the pen.

Only organs that lie whole in the scan are judged. A source is judged as a whole where its median is absurd; otherwise
its single scans are counted.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.finding import Finding
from noisy_student.geometry import voxel_volume_ml
from noisy_student.organs import Organ
from noisy_student.sizes import three_digits

VOLUMES = "volumes_ml"
# Of an organ without a range, how far from its source's median, of at least so many scans.
TIMES_THE_MEDIAN, FEWEST_SCANS = 8, 5
REMEDY = (
    "look whether the number is this organ's (`labels` beside the folder gives it its own numbers) and whether the "
    "spacing is right; `volume_ml` in `organs` sets other bounds"
)


def voxel_counts(label_map_zyx: np.ndarray) -> np.ndarray:
    """How many voxels each label has, by label."""
    most = int(label_map_zyx.max(initial=0)) + 1
    return sum(
        (np.bincount(slice_yx.ravel().astype(np.intp), minlength=most) for slice_yx in label_map_zyx),
        np.zeros(most, np.int64),
    )


def whole_volumes_ml(label_map: sitk.Image, counts: np.ndarray) -> dict[int, float]:
    """Volume of each label that is there and lies in none of the scan's outermost voxels."""
    array = sitk.GetArrayViewFromImage(label_map)
    faces = (np.take(array, end, axis) for axis in range(3) for end in (0, -1))
    cut = {label for face in faces for label in np.unique(face).tolist()}
    voxel_ml = voxel_volume_ml(label_map.GetSpacing())
    return {
        label: float(counts[label]) * voxel_ml for label in np.flatnonzero(counts).tolist() if label not in (0, *cut)
    }


def volume_findings(rows: Sequence[Mapping[str, Any]], organs: Sequence[Organ]) -> list[Finding]:
    """A warning for each organ and source with absurd volumes."""
    volumes: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for row in rows:
        for label, volume_ml in row.get(VOLUMES, {}).items():
            volumes[row["source"], label][row["case"]] = volume_ml
    sources = dict.fromkeys(source for source, _ in volumes)
    found = [_finding(organ, source, volumes.get((source, organ.label), {})) for source in sources for organ in organs]
    return [finding for finding in found if finding]


def _finding(organ: Organ, source: str, volumes_ml: Mapping[str, float]) -> Finding | None:
    """What is to be said of one organ in one source: case → volume."""
    bounds = _bounds(organ, list(volumes_ml.values()))
    if bounds is None:
        return None
    (low, high), median = bounds, float(np.median(list(volumes_ml.values())))
    absurd = {case: volume for case, volume in volumes_ml.items() if not low <= volume <= high}
    if not absurd:
        return None
    if len(volumes_ml) > 1 and not low <= median <= high:
        found = f"{organ.name} of {three_digits(median)} ml, the median of {len(volumes_ml)} scans of {source}"
    else:
        listed = ", ".join(f"{three_digits(volume)} ml in {case}" for case, volume in list(absurd.items())[:3])
        found = f"{organ.name} of absurd volume in {len(absurd)} of {len(volumes_ml)} scans of {source}: {listed}"
    return Finding(
        "all", "", "warning", found, f"{organ.name} of {three_digits(low)} to {three_digits(high)} ml", REMEDY
    )


def _bounds(organ: Organ, volumes_ml: Sequence[float]) -> tuple[float, float] | None:
    """The organ's own range; without one, a factor around the median of its source."""
    if organ.volume_ml is not None and volumes_ml:
        return organ.volume_ml
    if len(volumes_ml) < FEWEST_SCANS:
        return None
    median = float(np.median(volumes_ml))
    return median / TIMES_THE_MEDIAN, median * TIMES_THE_MEDIAN
