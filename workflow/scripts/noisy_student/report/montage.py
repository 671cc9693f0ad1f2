"""Slices of a scan with a label map over it, as pictures in physical proportions and radiological view.

Volumes are (z, y, x) arrays in LPS orientation: x grows to the patient's left, y to the back, z to the head.
A picture therefore has the patient's right on its left; a coronal one is flipped so that the head is on top.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from noisy_student.boxes import box_of
from noisy_student.organs import Organ

WINDOW_WIDTH_HU, WINDOW_LEVEL_HU = 400, 40
PICTURE_WIDTH_PX = 360
MARGIN_MM = 40
OPACITY = 0.4
OUTLINE_PX = 2
# White and black stripes over what is left out: seen on every grey and colour, with any kind of colour blindness.
STRIPES_PX, LINE_PX, DASH_PX = 14, 2, 5
FONT_PX = 17


@dataclass(frozen=True)
class Cut:
    """Where a scan is cut: the slice of each view, and the box (lower and upper corner, z y x) that is shown."""

    axial: int
    coronal: int
    lower_zyx: tuple[int, int, int]
    upper_zyx: tuple[int, int, int]


@dataclass(frozen=True)
class Layer:
    """What lies over a scan: a label map, and what of it is left out of the loss; arrays on its grid."""

    labels: np.ndarray | None = None
    left_out: np.ndarray | None = None


def choose_cut(truth_zyx: np.ndarray, maps_zyx: list[np.ndarray], spacing_mm_zyx: tuple[float, ...]) -> Cut:
    """The slices with most organs of the truth, and a box around everything labelled in any of the maps.

    Where the truth is empty, the middle slices.
    """
    labelled = np.logical_or.reduce([labels > 0 for labels in maps_zyx])
    return Cut(_richest(truth_zyx, 0), _richest(truth_zyx, 1), *box_around(labelled, spacing_mm_zyx))


def box_around(
    shown_zyx: np.ndarray, spacing_mm_zyx: tuple[float, ...]
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Lower and upper corner of a box around all that is true, with a margin; of the whole grid if nothing is."""
    lower, upper = [], []
    for part, size, spacing_mm in zip(box_of(shown_zyx), shown_zyx.shape, spacing_mm_zyx, strict=True):
        margin = round(MARGIN_MM / spacing_mm)
        lower.append(max(0, part.start - margin))
        upper.append(min(size, part.stop + margin) if part.stop else size)
    return tuple(lower), tuple(upper)


def _richest(labels: np.ndarray, axis: int) -> int:
    """The slice along `axis` with most organs; among those the one with most labelled voxels."""
    slices = np.moveaxis(labels, axis, 0).reshape(labels.shape[axis], -1)
    organs = sum((slices == label).any(axis=1).astype(np.int64) for label in np.unique(labels[labels > 0]))
    if not np.any(organs):
        return labels.shape[axis] // 2
    return int(np.argmax(organs * labels.size + (slices > 0).sum(axis=1)))


def window(hounsfield: np.ndarray) -> np.ndarray:
    """Grey values from 0 to 255 of the abdominal window W400 L40."""
    low = WINDOW_LEVEL_HU - WINDOW_WIDTH_HU / 2
    return (np.clip((hounsfield - low) / WINDOW_WIDTH_HU, 0, 1) * 255).astype(np.uint8)


def view(volume_zyx: np.ndarray, cut: Cut, name: str) -> np.ndarray:
    """The slice as it is shown: rows from top to bottom, columns from the patient's right to left."""
    (z0, y0, x0), (z1, y1, x1) = cut.lower_zyx, cut.upper_zyx
    if name == "axial":
        return volume_zyx[cut.axial, y0:y1, x0:x1]
    return volume_zyx[z0:z1, cut.coronal, x0:x1][::-1]


def picture(grey: np.ndarray, layer: Layer, pixel_mm: tuple[float, float], organs: Sequence[Organ]) -> Image.Image:
    """A slice with its organs: filled lightly, outlined fully, marked R and L; what is left out is hatched.

    `pixel_mm` is (row, column) size.
    """
    height = round(PICTURE_WIDTH_PX * grey.shape[0] * pixel_mm[0] / (grey.shape[1] * pixel_mm[1]))
    size = (PICTURE_WIDTH_PX, max(height, 1))
    rgb = np.array(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR).convert("RGB"))
    if layer.labels is not None:
        rgb = _overlay(rgb, _enlarged(layer.labels, size), organs)
    if layer.left_out is not None:
        rgb = _hatched(rgb, _enlarged(layer.left_out, size) > 0)
    return _sides(Image.fromarray(rgb))


def _enlarged(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.array(Image.fromarray(labels.astype(np.uint8)).resize(size, Image.Resampling.NEAREST))


def _overlay(rgb: np.ndarray, labels: np.ndarray, organs: Sequence[Organ]) -> np.ndarray:
    edge = _edges(labels)
    for organ in organs:
        colour = np.array([int(organ.colour[i : i + 2], 16) for i in (1, 3, 5)])
        inside = labels == organ.label
        rgb[inside] = (rgb[inside] * (1 - OPACITY) + colour * OPACITY).astype(np.uint8)
        rgb[inside & edge] = colour
    return rgb


def _hatched(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Stripes over the mask, from lower left to upper right, and a dashed outline, which is all of a thin mask."""
    rows, columns = np.indices(mask.shape)
    stripe, dash = (rows + columns) % STRIPES_PX, (rows // DASH_PX + columns // DASH_PX) % 2
    edge = mask & _edges(mask)
    rgb[mask & (stripe < 2 * LINE_PX) | edge] = 0
    rgb[mask & (stripe < LINE_PX) & ~edge | edge & (dash == 0)] = 255
    return rgb


def _edges(labels: np.ndarray) -> np.ndarray:
    """Pixels with another label within two rows or columns: an outline that lies inside its organ."""
    edge = np.zeros(labels.shape, dtype=bool)
    for step in range(1, OUTLINE_PX + 1):
        for turned, found in ((labels, edge), (labels.T, edge.T)):
            differs = turned[step:] != turned[:-step]
            found[step:] |= differs
            found[:-step] |= differs
    return edge


def _sides(shown: Image.Image) -> Image.Image:
    draw = ImageDraw.Draw(shown)
    font = ImageFont.load_default(FONT_PX)
    for text, x, anchor in (("R", 8, "lm"), ("L", shown.width - 8, "rm")):
        place = (x, shown.height / 2)
        draw.text(place, text, font=font, fill="white", anchor=anchor, stroke_width=2, stroke_fill="black")
    return shown


def sheet(rows: list[list[Image.Image]], titles: list[str]) -> Image.Image:
    """All pictures of a case on one sheet, one view per row, with a title over each column."""
    gap, title_px = 6, 28
    heights = [max(shown.height for shown in row) for row in rows]
    columns = max(len(row) for row in rows)
    size = (columns * (PICTURE_WIDTH_PX + gap) + gap, title_px + sum(heights) + gap * len(rows))
    page = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(page)
    for column, title in enumerate(titles):
        place = (gap + column * (PICTURE_WIDTH_PX + gap) + PICTURE_WIDTH_PX / 2, title_px / 2)
        draw.text(place, title, font=ImageFont.load_default(FONT_PX), fill="black", anchor="mm")
    top = title_px
    for row, height in zip(rows, heights, strict=True):
        for column, shown in enumerate(row):
            page.paste(shown, (gap + column * (PICTURE_WIDTH_PX + gap), top))
        top += height + gap
    return page
