"""A case for the page's viewer: cropped to what is labelled, and coarsened until all its volumes are small enough."""

import base64
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.geometry import image_like
from noisy_student.report.montage import Cut, window
from noisy_student.report.volumes import Volumes

# Steps in which volumes get coarser: at least this, and no more than would overshoot by far.
LEAST_STEP, LARGEST_STEP = 1.04, 1.8


def volumes_for_page(
    scan: sitk.Image, maps: dict[str, np.ndarray], paths: dict[str, Path], cut: Cut, limit_bytes: int
) -> Volumes:
    """The scan and its label maps (title → array z y x, and file), cropped to the cut's box and made small."""
    box = zip(cut.lower_zyx[::-1], cut.upper_zyx[::-1], scan.GetSize(), strict=True)
    texts = small_volumes(scan, maps, cut, limit_bytes)
    return Volumes(texts, {title: str(paths[title]) for title in maps}, [list(axis) for axis in box])


def small_volumes(scan: sitk.Image, maps: dict[str, np.ndarray], cut: Cut, limit_bytes: int) -> dict[str, str]:
    """`image` (grey values 0 to 255 of the abdominal window) and each label map as NIfTI, gzipped, base64.

    All are on one grid: the box of the cut, at the scan's own spacing, or in steps coarser, the finest axes first,
    until the texts together are not longer than `limit_bytes`. Labels are never interpolated.
    """
    lower, upper = cut.lower_zyx[::-1], cut.upper_zyx[::-1]
    box = tuple(slice(low, high) for low, high in zip(lower, upper, strict=True))
    images = {"image": image_like(window(sitk.GetArrayViewFromImage(scan)), scan)[box]}
    images |= {title: image_like(labels.astype(np.uint8), scan)[box] for title, labels in maps.items()}
    spacing_mm = min(scan.GetSpacing())
    while True:
        texts = {title: _text(_coarse(image, spacing_mm, title == "image")) for title, image in images.items()}
        excess = sum(map(len, texts.values())) / limit_bytes
        if excess <= 1:
            return texts
        spacing_mm *= min(max(excess ** (1 / 3), LEAST_STEP), LARGEST_STEP)


def _coarse(image: sitk.Image, spacing_mm: float, smooth: bool) -> sitk.Image:
    """The image with no axis finer than `spacing_mm`, over the same box; `smooth`: means of what falls together."""
    spacing = [max(own, spacing_mm) for own in image.GetSpacing()]
    extent = [size * own for size, own in zip(image.GetSize(), image.GetSpacing(), strict=True)]
    size = [max(1, round(length / mm)) for length, mm in zip(extent, spacing, strict=True)]
    if size == list(image.GetSize()):
        return image
    spacing = [length / count for length, count in zip(extent, size, strict=True)]
    first = [(new - own) / 2 / own for new, own in zip(spacing, image.GetSpacing(), strict=True)]
    interpolator = sitk.sitkLinear if smooth else sitk.sitkNearestNeighbor
    origin = image.TransformContinuousIndexToPhysicalPoint(first)
    if smooth:
        image = sitk.BinShrink(image, [int(new / own) for new, own in zip(spacing, image.GetSpacing(), strict=True)])
    return sitk.Resample(
        image, size, sitk.Transform(), interpolator, origin, spacing, image.GetDirection(), 0, sitk.sitkUInt8, True
    )


def _text(image: sitk.Image) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "volume.nii.gz"
        sitk.WriteImage(image, str(path), useCompression=True)
        return base64.b64encode(path.read_bytes()).decode()
