"""Segmentations as 3D Slicer writes them (`.seg.nrrd`): names of segments in the header, layers where they overlap.

Format: https://slicer.readthedocs.io/en/latest/user_guide/modules/segmentations.html#segmentations-file-format. Numbers
are label values within a layer; the header's keys come in alphabetical order.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.reading.nrrd_header import Header

DIRECTION = re.compile(r"none|\([^)]*\)")
EXPORT = (
    "it is a segmentation of 3D Slicer: there, in the module Segmentations, under Export/import models and labelmaps, "
    "export a label map with the scan as reference volume, save that, and name it"
)


def segment_names(header: Header) -> dict[int, str]:
    """Number → name of every segment in the first layer; none in a file without segments."""
    return {number: name for number, name, layer in _segments(header.keys) if layer == 0 and name}


def require_one_layer(path: Path, header: Header) -> None:
    """Raise InputError for several layers: the same numbers stand for other segments in each."""
    layers = _layers(header)
    if layers > 1 and "Segment0_ID" in header.keys:
        found = f"{layers} layers of segments that overlap, the same numbers in each"
        raise InputError(f"one label map in {path}", found, EXPORT)


def _segments(keys: dict[str, str]) -> Iterator[tuple[int, str, int]]:
    """(label value, name, layer) by number, until one is missing."""
    segment = 0
    while (prefix := f"Segment{segment}_") + "ID" in keys:
        value, layer = keys.get(f"{prefix}LabelValue", "1"), keys.get(f"{prefix}Layer", str(segment))
        if value.strip().isdecimal() and layer.strip().isdecimal():
            yield int(value), keys.get(f"{prefix}Name", "").strip(), int(layer)
        segment += 1


def _layers(header: Header) -> int:
    """How many layers are stored: the size of the axis without a direction in space."""
    sizes = [int(size) for size in header.fields.get("sizes", "").split() if size.isdecimal()]
    directions = DIRECTION.findall(header.fields.get("spacedirections", ""))
    return next((size for size, direction in zip(sizes, directions, strict=False) if direction == "none"), 1)
