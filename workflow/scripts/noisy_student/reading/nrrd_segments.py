"""Segmentations as 3D Slicer writes them (`.seg.nrrd`): names of segments in the header, layers where they overlap.

Format: https://slicer.readthedocs.io/en/latest/user_guide/modules/segmentations.html#segmentations-file-format. Numbers
are label values within a layer; the header's keys come in alphabetical order.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from noisy_student.reading.nrrd_header import Header

DIRECTION = re.compile(r"none|\([^)]*\)")
EXPORT = (
    "it is a segmentation of 3D Slicer: there, in the module Segmentations, under Export/import models and labelmaps, "
    "export a label map with the scan as reference volume, save that, and name it"
)


@dataclass(frozen=True)
class Stated:
    """A segment as the header states it: its number within its layer, name and layer."""

    value: int
    name: str
    layer: int


def segment_names(header: Header) -> dict[int, str]:
    """Number → name of every segment in the first layer; none in a file without segments."""
    return {segment.value: segment.name for segment in segments_of(header) if segment.layer == 0 and segment.name}


def segments_of(header: Header) -> Iterator[Stated]:
    """The segments by number, until one is missing."""
    keys, segment = header.keys, 0
    while (prefix := f"Segment{segment}_") + "ID" in keys:
        value, layer = keys.get(f"{prefix}LabelValue", "1"), keys.get(f"{prefix}Layer", str(segment))
        if value.strip().isdecimal() and layer.strip().isdecimal():
            yield Stated(int(value), keys.get(f"{prefix}Name", "").strip(), int(layer))
        segment += 1


def layers_of(header: Header) -> int:
    """How many layers are stored: the size of the axis without a direction in space."""
    sizes = [int(size) for size in header.fields.get("sizes", "").split() if size.isdecimal()]
    directions = DIRECTION.findall(header.fields.get("spacedirections", ""))
    return next((size for size, direction in zip(sizes, directions, strict=False) if direction == "none"), 1)
