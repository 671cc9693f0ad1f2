"""Is this a CT in Hounsfield units, on a grid as scanners make them?

What cannot be used is an error. What only looks wrong is a warning: a close crop has no air, a child is small.
All is asked of the scan in canonical orientation.
"""

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from noisy_student.geometry import Geometry
from noisy_student.organs import LARGEST_LABEL
from noisy_student.reading.thin import thin_remarks
from noisy_student.reading.volume import NOT_CT, Remark, Volume

# Air is -1000 HU, fat -100, soft tissue 0 to 100, bone and contrast up to 3000; scanners pad with values below -1024.
AIR_BELOW_HU = -500
FAT_BELOW_HU = -20
TISSUE_ABOVE_HU = 0
METAL_BELOW_HU = 10_000
PADDING_BELOW_HU = -1100
PADDING_SHARE = 0.001
# Less than this of a crop of the body is air, and less than this is as dense as bone. Of values as stored, to which the
# intercept of about -1024 is not added, soft tissue is above DENSE_ABOVE_HU: more than DENSE_SHARE of a scan.
AIR_SHARE = 0.02
DENSE_ABOVE_HU = 800
DENSE_SHARE = 0.1
SPACING_MM = (0.2, 10.0)
WIDTH_MM = (100.0, 1000.0)
HEIGHT_MM = (30.0, 2500.0)
SAME_SPACING = 0.01
OBLIQUE_DEGREES = 1.0
SHEAR_TOLERANCE = 0.01
LOW_PERCENT, HIGH_PERCENT, SHARE = 0.5, 99.5, "99.5 %"
LARGEST_NUMBER = float(np.finfo(np.float32).max)
MOST_LABELS = 60
SWAPPED = "name the scans: are `images` and `label_maps` swapped, or do both lie in one folder?"
HOUNSFIELD = "a CT in Hounsfield units: air -1000, fat -100, soft tissue 0 to 100"
ACCEPT = "if it is meant to be used, name the case or its source under `cohort.accept`"


def scan_remarks(volume: Volume, spacings_mm_zyx: Sequence[Sequence[float] | None] = ()) -> list[Remark]:
    """Everything to be said of a scan that could be read; the spacings are those of the networks that will see it."""
    voxels = sitk.GetArrayViewFromImage(volume.image)
    if found := _useless(voxels, volume.geometry):
        return [*volume.remarks, found]
    return [
        *volume.remarks, *intensity_remarks(voxels), *grid_remarks(volume.geometry, volume.letters),
        *thin_remarks(volume.geometry, spacings_mm_zyx),
    ]  # fmt: skip


def _useless(voxels: np.ndarray, geometry: Geometry) -> Remark | None:
    low, high = float(voxels.min()), float(voxels.max())
    if max(-low, high) > LARGEST_NUMBER:
        remedy = "export the scan again"
        return Remark("numbers", "voxels that are no numbers", "finite intensities", remedy, "error")
    axes = geometry.axes
    if not np.allclose(axes.T @ axes, np.eye(3), atol=SHEAR_TOLERANCE):
        remedy = "resample it to an upright grid"
        return Remark("shear", "axes that are not perpendicular", "an upright grid", remedy, "error")
    if low == high:
        return Remark("constant", f"{low:g} in every voxel", "a scan", "export the scan again", "error")
    return None


def intensity_remarks(voxels: np.ndarray) -> list[Remark]:
    """What does not look like Hounsfield units; padding counts neither for nor against it."""
    inside = _above_padding(voxels)
    if _looks_like_labels(voxels):
        found, remedy = f"whole numbers from 0 to {voxels.max():g}, as in a label map", f"{SWAPPED} {ACCEPT}"
        return [Remark(NOT_CT, found, HOUNSFIELD, remedy, "error")]
    low, high = np.percentile(inside, (LOW_PERCENT, HIGH_PERCENT))
    if found := _no_hounsfield(voxels, inside, low, high):
        remedy = f"export it with rescale slope and intercept applied, or take it out (an MR scan?); {ACCEPT}"
        return [Remark(NOT_CT, found, HOUNSFIELD, remedy, "error")]
    found, remedy = [], "set what lies outside the field of view to -1024"
    if low > AIR_BELOW_HU:
        wanted, is_crop = "Hounsfield units, air near -1000", "nothing if it is a close crop of the body"
        found.append(Remark("no air", f"no air: {SHARE} of the voxels are above {low:g}", wanted, is_crop))
        remedy = "look first whether these are Hounsfield units: fat near -100, soft tissue 0 to 100"
    share = np.count_nonzero(voxels < PADDING_BELOW_HU) / voxels.size
    if share > PADDING_SHARE:
        said = f"padding: {voxels.min():g} and {share:.1%} below {PADDING_BELOW_HU}"
        found.append(Remark("padding", said, "nothing below air", remedy))
    return found


def _looks_like_labels(voxels: np.ndarray) -> bool:
    """Whether these are few small whole numbers, most of them 0."""
    if voxels.min() < 0 or voxels.max() > LARGEST_LABEL:
        return False
    values, counts = np.unique(voxels, return_counts=True)
    return len(values) <= MOST_LABELS and counts[0] == counts.max() and bool((values == np.rint(values)).all())


def _no_hounsfield(voxels: np.ndarray, inside: np.ndarray, low: float, high: float) -> str:
    """Why the intensities cannot be Hounsfield units of a body; empty if they may be.

    `low`, `high`: the 0.5 and 99.5 percentiles of those `inside`, above any padding. With it the latter is lower.
    """
    if high >= METAL_BELOW_HU and (bright := intensity_range(voxels)[1]) >= METAL_BELOW_HU:
        return f"no Hounsfield units: over 0.5 % of the voxels are above {bright:g}"
    if low > FAT_BELOW_HU:
        return f"no Hounsfield units: neither air nor fat, {SHARE} of the voxels are above {low:g}"
    if high <= TISSUE_ABOVE_HU:
        return f"no Hounsfield units: no soft tissue, {SHARE} of the voxels are below {high:g}"
    return _as_stored(inside)


def _as_stored(inside: np.ndarray) -> str:
    """Why intensities are values as stored, without the intercept; empty if they need not be.

    The smallest value may be another padding, and counts as air only beside other air.
    """
    others = inside[inside > inside.min()]
    air, dense = np.mean(others < AIR_BELOW_HU), np.mean(others > DENSE_ABOVE_HU)
    if air >= AIR_SHARE or dense <= DENSE_SHARE:
        return ""
    return f"no Hounsfield units: {dense:.0%} of the voxels are above {DENSE_ABOVE_HU}, and hardly any is air"


def intensity_range(voxels: np.ndarray) -> tuple[float, float]:
    """The 0.5 and 99.5 percentiles of about 50 slices."""
    low, high = np.percentile(_some_slices(voxels), (LOW_PERCENT, HIGH_PERCENT))
    return float(low), float(high)


def _some_slices(voxels: np.ndarray) -> np.ndarray:
    return voxels[:: max(1, len(voxels) // 50)]


def _above_padding(voxels: np.ndarray) -> np.ndarray:
    """The voxels of about 50 slices that are no padding, as a list; all of them where nothing else is there."""
    some = _some_slices(voxels)
    inside = some[some >= PADDING_BELOW_HU]
    return inside if inside.size else some.ravel()


def grid_remarks(geometry: Geometry, letters: str) -> list[Remark]:
    """What is unusual about spacing, extent and orientation; `letters` are those of the axes as stored."""
    spacing_mm, found = np.array(geometry.spacing_mm_xyz), []
    if np.all(spacing_mm == 1):
        remedy = "look whether the spacing was lost on export; organs and surfaces would be measured wrongly"
        found.append(Remark("spacing", "spacing of exactly 1 × 1 × 1 mm", "the scanner's spacing", remedy))
    remedy = "correct the header's spacing, or take the scan out"
    for number, (spacing, extent) in enumerate(zip(spacing_mm, spacing_mm * geometry.size_xyz, strict=True)):
        axis, limits = ("head-foot", HEIGHT_MM) if number == 2 else ("across the body", WIDTH_MM)
        if not SPACING_MM[0] <= spacing <= SPACING_MM[1]:
            found.append(Remark("spacing", f"spacing of {spacing:.4g} mm, {axis}", _from_to(SPACING_MM), remedy))
        if not limits[0] <= extent <= limits[1]:
            found.append(Remark("extent", f"extent of {extent:.4g} mm, {axis}", _from_to(limits), remedy))
    if letters[2] not in "SI" and not _has_axial_spacing(*spacing_mm):
        remedy = "check the header; the scan is turned, never resampled"
        found.append(Remark("stack", f"slices are stacked towards {letters[2]}", "axial slices", remedy))
    if (angle := tilt_degrees(geometry)) > OBLIQUE_DEGREES:
        remedy = "resample it to the patient's axes, or accept that its organs look tilted to the network"
        found.append(Remark("oblique", f"oblique by {angle:.1f}°", "axes along the patient's", remedy))
    return found


def _has_axial_spacing(x_mm: float, y_mm: float, z_mm: float) -> bool:
    """Whether slices are axial by their spacing, along whichever axis a file has them: it is as odd as no other."""
    return bool(np.isclose(x_mm, y_mm, rtol=SAME_SPACING) and not np.isclose(x_mm, z_mm, rtol=SAME_SPACING))


def tilt_degrees(geometry: Geometry) -> float:
    """The largest angle between an axis of the grid and the patient axis nearest to it."""
    nearest = np.abs(geometry.axes).max(axis=0)
    return float(np.degrees(np.arccos(np.clip(nearest, 0, 1))).max())


def _from_to(limits: tuple[float, float]) -> str:
    return f"{limits[0]:g} to {limits[1]:g} mm"
