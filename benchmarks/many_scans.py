"""Scans for measurements, in any number and of any size: a few generated bodies, each bent, resampled and noisy anew.

No two scans are alike, and those that learn, that are labelled and that judge come from different bodies.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.embedded.phantom import Phantom, make_phantom
from noisy_student.embedded.variation import BROAD, NARROW
from noisy_student.geometry import image_like
from noisy_student.images import write_image

BODIES = {"labelled": 10, "unlabelled": 40, "validation": 10, "test": 10}
SCALE, TURN_DEG, NOISE_HU = (0.92, 1.08), 4.0, (4, 15)
AIR_HU = -1024
# Small scans: mm in plane, and between slices.
IN_PLANE_MM, SLICE_MM = (4.8, 5.6), (5.5, 7.0)
# The largest that is to be expected: thorax, abdomen and pelvis in a field of view of 50 cm.
FULL_SIZE_XYZ, FULL_SPACING_MM_XYZ = (512, 512, 600), (0.98, 0.98, 1.25)
# An abdomen as most clinics store it.
CLINICAL_SIZE_XYZ, CLINICAL_SPACING_MM_XYZ = (512, 512, 100), (0.78, 0.78, 5.0)

Pair = tuple[sitk.Image, sitk.Image]


@dataclass(frozen=True)
class Case:
    """One scan of a role."""

    role: str
    number: int

    @property
    def body(self) -> int:
        """Which of the role's bodies it shows."""
        return self.number % BODIES[self.role]

    def rng(self, seed: int) -> np.random.Generator:
        """The case's own generator."""
        return np.random.default_rng([seed, list(BODIES).index(self.role), self.number])

    def files(self, folder: Path) -> tuple[Path, Path]:
        """Where scan and label map lie."""
        name = f"{self.role}_{self.number:05}"
        return folder / self.role / "images" / f"{name}_0000.nii.gz", folder / self.role / "labels" / f"{name}.nii.gz"


def folders(folder: Path, roles: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """The section `cohort.folders` of a configuration."""
    named = {role: [{"images": f"{folder}/{role}/images", "label_maps": f"{folder}/{role}/labels"}] for role in roles}
    return named | {"unlabelled": [{"images": f"{folder}/unlabelled/images"}]}


def make_scans(
    folder: Path, counts: dict[str, int], seed: int, cores: int, make: Callable[[Phantom, np.random.Generator], Pair]
) -> None:
    """Write those scans that are not there yet; unlabelled ones without their label map."""
    cases = [Case(role, number) for role, count in counts.items() for number in range(count)]
    missing = [case for case in cases if not case.files(folder)[0].exists()]
    # Neighbours share a body, which a process then draws once.
    missing.sort(key=lambda case: (case.role, case.body))
    chunk = len(missing) // 40 + 1
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(_write, missing, repeat(folder), repeat(seed), repeat(make), chunksize=chunk))


def _write(case: Case, folder: Path, seed: int, make: Callable[[Phantom, np.random.Generator], Pair]) -> None:
    scan, labels = make(_body(case.role, case.body, seed), case.rng(seed))
    image, label_map = case.files(folder)
    if case.role != "unlabelled":
        write_image(labels, label_map)
    write_image(scan, image)


@cache
def _body(role: str, number: int, seed: int) -> Phantom:
    rng = np.random.default_rng([seed, list(BODIES).index(role), number, 1])
    return make_phantom(rng, NARROW if role == "labelled" else BROAD)


def small(body: Phantom, rng: np.random.Generator) -> Pair:
    """A scan of about 80 × 60 × 45 voxels, and its label map."""
    in_plane_mm, slice_mm = (round(rng.uniform(*limits), 2) for limits in (IN_PLANE_MM, SLICE_MM))
    size, spacing = body.scan.GetSize(), (in_plane_mm, in_plane_mm, slice_mm)
    new_size = np.ceil(np.multiply(size, body.scan.GetSpacing()) / spacing).astype(int)
    return _bent(body.scan, body.label_map, rng, new_size.tolist(), spacing)


def clinical(body: Phantom, rng: np.random.Generator) -> Pair:
    """A scan of `CLINICAL_SIZE_XYZ` voxels, and its label map."""
    return _bent(body.scan, body.label_map, rng, list(CLINICAL_SIZE_XYZ), CLINICAL_SPACING_MM_XYZ)


def full_size(body: Phantom, rng: np.random.Generator) -> Pair:
    """A scan of `FULL_SIZE_XYZ` voxels, and its label map: the body is stretched to the field of view."""
    extent_mm = np.multiply(FULL_SIZE_XYZ, FULL_SPACING_MM_XYZ)
    scan, label_map = sitk.Image(body.scan), sitk.Image(body.label_map)
    for image in (scan, label_map):
        image.SetSpacing((extent_mm / image.GetSize()).tolist())
    return _bent(scan, label_map, rng, list(FULL_SIZE_XYZ), FULL_SPACING_MM_XYZ)


def _bent(
    scan: sitk.Image, labels: sitk.Image, rng: np.random.Generator, size: list[int], spacing: tuple[float, ...]
) -> Pair:
    """Both scaled, turned and sampled on another grid (x, y, z); the scan as int16 in HU, with its own noise."""
    transform = sitk.AffineTransform(3)
    transform.SetCenter(scan.TransformContinuousIndexToPhysicalPoint(np.divide(scan.GetSize(), 2).tolist()))
    transform.Scale(rng.uniform(*SCALE, 3).tolist())
    for first, second in ((0, 1), (1, 2)):
        transform.Rotate(first, second, np.radians(rng.uniform(-TURN_DEG, TURN_DEG)))
    grid = sitk.ResampleImageFilter()
    grid.SetReferenceImage(scan)
    grid.SetOutputSpacing(spacing)
    grid.SetSize(size)
    grid.SetTransform(transform)
    grid.SetInterpolator(sitk.sitkNearestNeighbor)
    labels = grid.Execute(labels)
    grid.SetInterpolator(sitk.sitkLinear)
    grid.SetDefaultPixelValue(AIR_HU)
    resampled = grid.Execute(sitk.Cast(scan, sitk.sitkFloat32))
    voxels = sitk.GetArrayFromImage(resampled)
    voxels += rng.uniform(*NOISE_HU) * rng.standard_normal(voxels.shape, dtype=np.float32)
    return image_like(np.rint(voxels).clip(AIR_HU, None).astype(np.int16), resampled), labels
