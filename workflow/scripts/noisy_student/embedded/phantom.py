"""One embedded scan and its label map: drawn at random, or painted around the organs of a given label map.

Arrays are (z, y, x) in LPS; the images are stored in RAS as FLARE22's are, some in LPS.
"""

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from noisy_student.embedded import standard_body as standard
from noisy_student.embedded.anatomy import Build, draw_build, draw_space, draw_tissues, largest_piece, torso_of
from noisy_student.embedded.grids import FINER, fine_axes, majority_of_blocks, mean_of_blocks
from noisy_student.embedded.interiors import fill_organs
from noisy_student.embedded.painting import draw_acquisition, paint, scan, tissue_values
from noisy_student.embedded.tissues import labels_of
from noisy_student.embedded.variation import Variation
from noisy_student.embedded.wrapping import wrap
from noisy_student.geometry import reorient
from noisy_student.organs import FLARE22

# The share of slices that a cropped scan lacks at the head's or the feet's end: never a whole organ.
CROP_HEAD, CROP_FEET = (0.04, 0.1), (0.1, 0.25)


@dataclass(frozen=True)
class Phantom:
    """A scan (int16, HU) and its label map (uint8) on the same grid."""

    scan: sitk.Image
    label_map: sitk.Image


def make_phantom(rng: np.random.Generator, variation: Variation, label_map: sitk.Image | None = None) -> Phantom:
    """A random scan; its organs are those of `label_map` (any orientation and spacing) if that is given."""
    build = draw_build(rng, variation)
    acquisition = draw_acquisition(rng, variation)
    spacing_mm_zyx = _draw_spacing(rng, variation)
    if label_map is None:
        axes = _axes_of(build, spacing_mm_zyx)
        tissues = draw_tissues(rng, draw_space(rng, axes, build, variation), build, variation)
    else:
        axes, tissues = wrap(rng, label_map, build.fat_mm, spacing_mm_zyx)
    tissues = fill_organs(rng, tissues, axes, acquisition.oral_contrast_hu > 0)
    perfect_hu = paint(rng, tissues, axes, tissue_values(rng, acquisition, variation.tissue_sd_hu))
    scan_hu = scan(rng, mean_of_blocks(perfect_hu), spacing_mm_zyx, acquisition)
    labels = _largest_pieces(majority_of_blocks(labels_of(tissues)))
    slices = _draw_slices(rng, variation, len(labels))
    letters = "LPS" if rng.uniform() < variation.lps else "RAS"
    return Phantom(*(_image(array, slices, axes, letters) for array in (scan_hu, labels)))


def _draw_spacing(rng: np.random.Generator, variation: Variation) -> tuple[float, float, float]:
    in_plane_mm = round(rng.uniform(*variation.in_plane_mm), 3)
    slice_mm = round(2 * rng.uniform(*variation.slice_mm)) / 2
    return slice_mm, in_plane_mm, in_plane_mm


def _axes_of(build: Build, spacing_mm_zyx: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    """The fine axes of a field of view that is tight around the skin."""
    along_x, along_y = torso_of(build.fat_mm).outline_mm()
    ends_xyz = (along_x, along_y, (standard.BOTTOM_MM, standard.TOP_MM))
    scaled = [(low * scale, high * scale) for (low, high), scale in zip(ends_xyz, build.scale_xyz, strict=True)]
    return fine_axes(tuple(scaled[::-1]), spacing_mm_zyx)


def _largest_pieces(labels: np.ndarray) -> np.ndarray:
    """Averaging may cut off a thin end: one piece an organ."""
    kept = np.zeros_like(labels)
    for organ in FLARE22:
        kept[largest_piece(labels == organ.label)] = organ.label
    return kept


def _draw_slices(rng: np.random.Generator, variation: Variation, count: int) -> slice:
    is_cropped, at_head, share = rng.uniform(size=3)
    if is_cropped >= variation.cropped:
        return slice(0, count)
    if at_head < 0.5:
        return slice(0, count - round(count * np.interp(share, (0, 1), CROP_HEAD)))
    return slice(round(count * np.interp(share, (0, 1), CROP_FEET)), count)


def _image(array: np.ndarray, slices: slice, fine_axes_mm_zyx: tuple[np.ndarray, ...], letters: str) -> sitk.Image:
    z, y, x = fine_axes_mm_zyx
    image = sitk.GetImageFromArray(array[slices])
    image.SetSpacing([float(round(step, 4)) for step in (FINER * (x[1] - x[0]), FINER * (y[1] - y[0]), z[1] - z[0])])
    image.SetOrigin([float(start) for start in (x[:FINER].mean(), y[:FINER].mean(), z[slices.start])])
    return reorient(image, letters)
