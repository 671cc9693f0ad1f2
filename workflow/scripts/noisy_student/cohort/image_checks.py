"""Is this a CT in Hounsfield units, on a grid as scanners make them?

What cannot be used is an error. What only looks wrong is a warning: a close crop has no air, a child is small.
"""

import numpy as np
import SimpleITK as sitk

from noisy_student.cohort.finding import Finding, of_file
from noisy_student.cohort.scans import Scan
from noisy_student.images import Geometry, orientation, unlike_a_volume

# Air is -1000 HU, soft tissue 0 to 100, bone and contrast up to 3000; scanners pad with values below -1024.
AIR_BELOW_HU = -500
TISSUE_ABOVE_HU = 0
METAL_BELOW_HU = 10_000
PADDING_BELOW_HU = -1100
PADDING_SHARE = 0.001
SPACING_MM = (0.2, 10.0)
WIDTH_MM = (100.0, 1000.0)
HEIGHT_MM = (30.0, 2500.0)
OBLIQUE_DEGREES = 1.0
SHEAR_TOLERANCE = 0.01


def image_findings(scan: Scan, image: sitk.Image) -> list[Finding]:
    """All findings of a scan that could be read."""
    error, _ = of_file(scan, scan.image)
    if found := unlike_a_volume(image):
        remedy = "export one series as one volume; of several channels or time steps, one channel a file"
        return [error(found, "a 3-D scan with one value per voxel", remedy)]
    voxels = sitk.GetArrayViewFromImage(image)
    with np.errstate(over="ignore"):
        extremes = np.array([voxels.min(), voxels.max()]).astype(np.float32)
    if not np.isfinite(extremes).all():
        return [error("voxels that are no numbers", "finite intensities", "export the scan again")]
    axes = np.reshape(image.GetDirection(), (3, 3))
    if not np.allclose(axes.T @ axes, np.eye(3), atol=SHEAR_TOLERANCE):
        return [error("axes that are not perpendicular", "an upright grid", "resample it to an upright grid")]
    if voxels.min() == voxels.max():
        return [error(f"{voxels.min():g} in every voxel", "a scan", "export the scan again")]
    return (
        intensity_findings(scan, voxels) + orientation_findings(scan, image) + grid_findings(scan, Geometry.of(image))
    )


def orientation_findings(scan: Scan, image: sitk.Image) -> list[Finding]:
    """A warning about a NIfTI file whose header does not say how its axes lie in the patient."""
    _, warning = of_file(scan, scan.image)
    codes = [image.GetMetaData(key) for key in ("qform_code", "sform_code") if image.HasMetaDataKey(key)]
    if not codes or any(code != "0" for code in codes):
        return []
    remedy = "export it again with orientation, or make sure by eye that left is left"
    return [warning("no orientation in the header (qform and sform 0)", "axes of the patient", remedy)]


def intensity_findings(scan: Scan, voxels: np.ndarray) -> list[Finding]:
    """Warnings about intensities that do not look like Hounsfield units."""
    _, warning = of_file(scan, scan.image)
    low, high = intensity_range(voxels)
    found = []
    if low > AIR_BELOW_HU:
        wanted, remedy = "Hounsfield units, air near -1000", "apply rescale slope and intercept, or accept a close crop"
        found.append(warning(f"no air: 99.5 % of the voxels are above {low:g}", wanted, remedy))
    if not TISSUE_ABOVE_HU < high < METAL_BELOW_HU:
        wanted, remedy = "Hounsfield units, soft tissue at 0 to 100", "apply rescale slope and intercept"
        found.append(warning(f"99.5 % of the voxels are below {high:g}", wanted, remedy))
    share = np.count_nonzero(voxels < PADDING_BELOW_HU) / voxels.size
    if share > PADDING_SHARE:
        wanted, remedy = "nothing below air", "set what lies outside the field of view to -1024"
        found.append(warning(f"padding: {voxels.min():g} and {share:.1%} below {PADDING_BELOW_HU}", wanted, remedy))
    return found


def intensity_range(voxels: np.ndarray) -> tuple[float, float]:
    """The 0.5 and 99.5 percentiles of about 50 slices."""
    low, high = np.percentile(voxels[:: max(1, len(voxels) // 50)], (0.5, 99.5))
    return float(low), float(high)


def grid_findings(scan: Scan, geometry: Geometry) -> list[Finding]:
    """Warnings about spacing, extent and orientation."""
    _, warning = of_file(scan, scan.image)
    spacing_mm = np.array(geometry.spacing_mm_xyz)
    letters, found = orientation(geometry.direction), []
    if np.all(spacing_mm == 1):
        remedy = "look whether the spacing was lost on export; organs and surfaces would be measured wrongly"
        found.append(warning("spacing of exactly 1 × 1 × 1 mm", "the scanner's spacing", remedy))
    for letter, spacing, extent in zip(letters, spacing_mm, spacing_mm * geometry.size_xyz, strict=True):
        axis, limits = ("head-foot", HEIGHT_MM) if letter in "SI" else ("across the body", WIDTH_MM)
        remedy = "correct the header's spacing, or take the scan out"
        if not SPACING_MM[0] <= spacing <= SPACING_MM[1]:
            found.append(warning(f"spacing of {spacing:.4g} mm, {axis}", _from_to(SPACING_MM), remedy))
        if not limits[0] <= extent <= limits[1]:
            found.append(warning(f"extent of {extent:.4g} mm, {axis}", _from_to(limits), remedy))
    if letters[2] not in "SI":
        remedy = "check the header; the scan is turned, never resampled"
        found.append(warning(f"slices are stacked towards {letters[2]}", "axial slices", remedy))
    if (angle := tilt_degrees(geometry)) > OBLIQUE_DEGREES:
        remedy = "resample it to the patient's axes, or accept that its organs look tilted to the network"
        found.append(warning(f"oblique by {angle:.1f}°", "axes along the patient's", remedy))
    return found


def tilt_degrees(geometry: Geometry) -> float:
    """The largest angle between an axis of the grid and the patient axis nearest to it."""
    nearest = np.abs(np.reshape(geometry.direction, (3, 3))).max(axis=0)
    return float(np.degrees(np.arccos(np.clip(nearest, 0, 1))).max())


def _from_to(limits: tuple[float, float]) -> str:
    return f"{limits[0]:g} to {limits[1]:g} mm"
