"""A case for the page's viewer: cropped to what is labelled, and coarsened until all its volumes are small enough."""

import base64
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.report.montage import Cut, window

CASE_BYTES = 2_000_000  # of one case as text in the page
PAGE_BYTES = 8_000_000  # of all cases together
COARSER = 1.15


def small_volumes(scan: sitk.Image, maps: dict[str, np.ndarray], cut: Cut, limit_bytes: int) -> dict[str, str]:
    """`image` (grey values 0 to 255 of the abdominal window) and each label map as NIfTI, gzipped, base64.

    All are on one grid: the box of the cut, at the scan's own spacing, or in steps coarser, the finest axes first,
    until the texts together are not longer than `limit_bytes`. Labels are never interpolated.
    """
    lower, upper = cut.lower_zyx[::-1], cut.upper_zyx[::-1]
    box = tuple(slice(low, high) for low, high in zip(lower, upper, strict=True))
    images = {"image": _like(window(sitk.GetArrayViewFromImage(scan)), scan)[box]}
    images |= {title: _like(labels.astype(np.uint8), scan)[box] for title, labels in maps.items()}
    spacing_mm = min(scan.GetSpacing())
    while True:
        texts = {title: _text(_coarse(image, spacing_mm, title == "image")) for title, image in images.items()}
        if sum(map(len, texts.values())) <= limit_bytes:
            return texts
        spacing_mm *= COARSER


def limit_for(cases: int) -> int:
    """Bytes of text that each of so many cases may take."""
    return min(CASE_BYTES, PAGE_BYTES // max(cases, 1))


def _like(array_zyx: np.ndarray, scan: sitk.Image) -> sitk.Image:
    image = sitk.GetImageFromArray(array_zyx)
    image.CopyInformation(scan)
    return image


def _coarse(image: sitk.Image, spacing_mm: float, smooth: bool) -> sitk.Image:
    """The image with no axis finer than `spacing_mm`, over the same box."""
    spacing = [max(own, spacing_mm) for own in image.GetSpacing()]
    extent = [size * own for size, own in zip(image.GetSize(), image.GetSpacing(), strict=True)]
    size = [max(1, round(length / mm)) for length, mm in zip(extent, spacing, strict=True)]
    if size == list(image.GetSize()):
        return image
    spacing = [length / count for length, count in zip(extent, size, strict=True)]
    first = [(new - own) / 2 / own for new, own in zip(spacing, image.GetSpacing(), strict=True)]
    interpolator = sitk.sitkLinear if smooth else sitk.sitkNearestNeighbor
    origin = image.TransformContinuousIndexToPhysicalPoint(first)
    return sitk.Resample(
        image, size, sitk.Transform(), interpolator, origin, spacing, image.GetDirection(), 0, sitk.sitkUInt8
    )


def _text(image: sitk.Image) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "volume.nii.gz"
        sitk.WriteImage(image, str(path), useCompression=True)
        return base64.b64encode(path.read_bytes()).decode()
