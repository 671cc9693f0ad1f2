"""Where a NIfTI header places its voxels: by sform or qform, which must agree where both are valid (nifti1.h)."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from noisy_student.errors import InputError
from noisy_student.geometry import SHARE_OF_VOXEL, Geometry
from noisy_student.reading.problems import no_orientation, unreadable
from noisy_student.reading.volume import AIR_HU, Remark

SPACING_TOLERANCE = 0.01
# How far an sform's spacing is off where its cosines were rounded to three digits, and where it needed none.
ROUNDED_COSINES, ALONG_ONE_AXIS = 1e-3, 1e-4
# Axes this far off a right angle are made right-angled without a word, or with one; beyond, the scan is refused.
SILENT_DEGREES, SHEAR_DEGREES = 0.006, 0.5
# NIfTI counts x to the right and y to the front: from there to us, and back.
LPS_RAS = np.diag((-1.0, -1.0, 1.0))
MILLIMETRES = {1: 1e3, 3: 1e-3}
Header = Nifti1Header | Nifti2Header


@dataclass(frozen=True)
class Place:
    """The grid as the header has it, and what has to be said about that."""

    geometry: Geometry
    remarks: tuple[Remark, ...] = ()


def place_of(path: Path, header: Header) -> Place:
    """The grid of a header. Raises InputError where it has none, or two."""
    _require_numbers(path, header)
    forms = {name: _form(path, header, name) for name in ("sform", "qform") if int(header[f"{name}_code"]) > 0}
    if not forms:
        return Place(_unplaced(header), (no_orientation("qform and sform 0"),))
    if len(forms) == 2:
        _require_agreement(path, {name: place.geometry for name, place in forms.items()})
    return next(iter(forms.values()))


def _require_numbers(path: Path, header: Header) -> None:
    spacing, slope, intercept = header["pixdim"][1:4], header["scl_slope"], header["scl_inter"]
    if np.isinf(slope) or (slope and np.isfinite(slope) and not np.isfinite(intercept)):
        found = f"a scaling with slope {slope:g} and intercept {intercept:g}"
        raise unreadable(path, found, "export it again, or correct scl_slope and scl_inter of its header")
    if not np.isfinite(spacing).all() or not spacing.all():
        remedy = "export it again with the scanner's spacing, or correct pixdim of its header"
        raise unreadable(path, f"a spacing of {_short(spacing)}", remedy)


def _form(path: Path, header: Header, name: str) -> Place:
    affine = header.get_sform() if name == "sform" else _qform(header)
    if not np.isfinite(affine).all():
        remedy = "export it again, or correct the orientation of its header"
        raise unreadable(path, f"an orientation ({name}) that is no number", remedy)
    scale = MILLIMETRES.get(int(header["xyzt_units"]) & 7, 1.0)
    spacing = np.abs(header["pixdim"][1:4].astype(float))
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.allclose(lengths, spacing, rtol=SPACING_TOLERANCE):
        found = f"two spacings, {_short(spacing)} (pixdim) and {_short(lengths)} ({name})"
        remedy = "look which one is the scanner's, and correct the other in the header"
        raise unreadable(path, found, remedy)
    axes, remarks = _right_angled(path, affine[:3, :3] / lengths, name)
    if _is_spacing_of_its_own(affine, lengths, spacing):
        found = f"two spacings, {_short(spacing)} (pixdim) and {_short(lengths)} ({name})"
        remarks += (Remark("spacing", found, "one spacing", f"nothing: read by its {name}"),)
        spacing = lengths
    direction, origin = LPS_RAS @ axes, LPS_RAS @ affine[:3, 3] * scale
    size = tuple(int(value) for value in header["dim"][1:4])
    return Place(Geometry(size, tuple(spacing * scale), tuple(origin), tuple(direction.ravel())), remarks)


def _is_spacing_of_its_own(affine: np.ndarray, lengths: np.ndarray, spacing: np.ndarray) -> bool:
    """Whether a form's spacing differs from pixdim by more than rounding of its cosines explains."""
    is_oblique = np.count_nonzero(affine[:3, :3], axis=0) > 1
    return bool((np.abs(lengths / spacing - 1) > np.where(is_oblique, ROUNDED_COSINES, ALONG_ONE_AXIS)).any())


def _qform(header: Header) -> np.ndarray:
    """The qform (nifti1.h, method 2); a negative spacing is its absolute value, as other readers have it."""
    b, c, d = (float(header[f"quatern_{letter}"]) for letter in "bcd")
    a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    axes = np.array([
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ])  # fmt: skip
    affine = np.eye(4)
    affine[:3, :3] = axes * [1, 1, -1 if header["pixdim"][0] < 0 else 1] * np.abs(header["pixdim"][1:4])
    affine[:3, 3] = [float(header[f"qoffset_{letter}"]) for letter in "xyz"]
    return affine


def _right_angled(path: Path, axes: np.ndarray, name: str) -> tuple[np.ndarray, tuple[Remark, ...]]:
    """The nearest right-angled axes (columns), which are the polar decomposition's, and a remark where that shows."""
    cosines = [abs(axes[:, one] @ axes[:, other]) for one, other in combinations(range(3), 2)]
    sheared = float(np.degrees(np.arcsin(min(1.0, max(cosines)))))
    left, _, right = np.linalg.svd(axes)
    if sheared <= SILENT_DEGREES:
        return left @ right, ()
    if sheared <= SHEAR_DEGREES:
        found = f"axes that are off a right angle by {sheared:.2g}° ({name})"
        return left @ right, (
            Remark("shear", found, "right angles", "nothing: read with the nearest right-angled axes"),
        )
    remedy = (
        "give the DICOM series if that is where it comes from, or resample it to a right-angled grid (nibabel: "
        f"scan = processing.resample_to_output(image, image.header.get_zooms()[:3], order=1, cval={AIR_HU}), and its "
        "label map: processing.resample_from_to(label_map, scan, order=0))"
    )
    found = f"axes that are not perpendicular ({name}), off by {sheared:.2g}°"
    raise InputError(f"right-angled axes in {path}", found, remedy)


def _require_agreement(path: Path, forms: dict[str, Geometry]) -> None:
    """Raise where qform and sform put some voxel at two places."""
    sform, qform = forms["sform"], forms["qform"]
    if sform.offset(qform) <= SHARE_OF_VOXEL:
        return
    angle, away = sform.degrees_to(qform), sform.places_mm(_centre(sform)) - qform.places_mm(_centre(qform))
    found = (
        f"two places: the centre at {_point(qform)} mm by its qform and at {_point(sform)} mm by its sform, "
        f"{np.linalg.norm(away):.3g} mm apart"
    )
    found += f", two orientations turned by {angle:.3g}°" if angle > 0.01 else ""
    remedy = (
        "look in a viewer, best with its label map, which one is right, and write that to both (nibabel: "
        "image.set_qform(image.get_sform(), 1), or set_sform(image.get_qform(), 1), then save)"
    )
    raise InputError(f"one place for the voxels of {path}", found, remedy)


def _centre(geometry: Geometry) -> np.ndarray:
    return (np.array([geometry.size_xyz], float) - 1) / 2


def _point(geometry: Geometry) -> str:
    return "(" + ", ".join(f"{value:.4g}" for value in geometry.places_mm(_centre(geometry))[0]) + ")"


def _unplaced(header: Header) -> Geometry:
    """The grid of a header without orientation, as SimpleITK takes it: along the patient's axes, LPS."""
    size = tuple(int(value) for value in header["dim"][1:4])
    scale = MILLIMETRES.get(int(header["xyzt_units"]) & 7, 1.0)
    spacing = tuple(np.abs(header["pixdim"][1:4].astype(float)) * scale)
    return Geometry(size, spacing, (0.0, 0.0, 0.0), tuple(np.eye(3).ravel()))


def _short(numbers: np.ndarray) -> str:
    return " × ".join(f"{number:.6g}" for number in numbers) + " mm"
