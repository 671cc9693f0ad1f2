"""Segmentations as 3D Slicer and MITK write them: names of segments in the header, layers where they overlap.

Format: https://slicer.readthedocs.io/en/latest/user_guide/modules/segmentations.html#segmentations-file-format. Numbers
are label values within a layer; the header's keys come in alphabetical order. MITK calls layers groups and has the
labels of all groups in one key, as JSON; its older versions have a key with XML for each label.
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from noisy_student.reading.nrrd_header import Header

DIRECTION = re.compile(r"none|\([^)]*\)")
LABEL_GROUPS = "org.mitk.multilabel.segmentation.labelgroups"
# label_LAYER_PLACE, in which a property is `<property key="name" …><string value="…"/>`.
LABEL = re.compile(r"(?:org\.mitk\.)?label_(\d+)_\d+")
PROPERTY = re.compile(r'key="(name|value)"[^>]*>\s*<\w+ value="([^"]*)"')
EXPORT = (
    "it is a segmentation of 3D Slicer: there, in the module Segmentations, under Export/import models and labelmaps, "
    "export a label map with the scan as reference volume, save that, and name it"
)
EXPORT_GROUP = "it is of MITK: there, bring all labels into one group (layer), save it, and name that file"


@dataclass(frozen=True)
class Stated:
    """A segment as the header states it: its number within its layer, name and layer."""

    value: int
    name: str
    layer: int


def segment_names(header: Header) -> dict[int, str]:
    """Number → name of every segment in the first layer; none in a file without segments."""
    return {segment.value: segment.name for segment in segments_of(header) if segment.layer == 0 and segment.name}


def has_layers_of_names(header: Header) -> bool:
    """Whether a header is that of a segmentation of 3D Slicer, or of several groups of labels of MITK."""
    return "Segment0_ID" in header.keys or (layers_of(header) > 1 and any(_of_mitk(header)))


def export_of(header: Header) -> str:
    """How the program that wrote a segmentation makes one label map of it."""
    return EXPORT_GROUP if any(_of_mitk(header)) else EXPORT


def segments_of(header: Header) -> Iterator[Stated]:
    """The segments by number, until one is missing; MITK's labels by group."""
    yield from _of_mitk(header)
    keys, segment = header.keys, 0
    while (prefix := f"Segment{segment}_") + "ID" in keys:
        value, layer = keys.get(f"{prefix}LabelValue", "1"), keys.get(f"{prefix}Layer", str(segment))
        if value.strip().isdecimal() and layer.strip().isdecimal():
            yield Stated(int(value), keys.get(f"{prefix}Name", "").strip(), int(layer))
        segment += 1


def _of_mitk(header: Header) -> Iterator[Stated]:
    yield from _of_groups(header)
    for key, text in header.keys.items():
        if place := LABEL.fullmatch(key):
            label = dict(PROPERTY.findall(text))
            value = label.get("value", "")
            # 0 is what MITK calls the exterior.
            if value.isdecimal() and int(value):
                yield Stated(int(value), html.unescape(label.get("name", "")).strip(), int(place[1]))


def _of_groups(header: Header) -> Iterator[Stated]:
    try:
        groups = json.loads(header.keys.get(LABEL_GROUPS, "[]"))
    except ValueError:
        return
    for layer, group in enumerate(groups if isinstance(groups, list) else []):
        labels = group.get("labels") if isinstance(group, dict) else None
        for label in labels if isinstance(labels, list) else []:
            if isinstance(label, dict) and str(label.get("value")).isdecimal():
                yield Stated(int(label["value"]), str(label.get("name") or "").strip(), layer)


def layers_of(header: Header) -> int:
    """How many layers are stored."""
    return axis_of_layers(header)[1]


def axis_of_layers(header: Header) -> tuple[int, int]:
    """The axis without a direction in space, the fastest one being 0, and its size: how many layers are stored."""
    sizes = [int(size) for size in header.fields.get("sizes", "").split() if size.isdecimal()]
    directions = DIRECTION.findall(header.fields.get("spacedirections", ""))
    axes = enumerate(zip(sizes, directions, strict=False))
    return next(((axis, size) for axis, (size, direction) in axes if direction == "none"), (0, 1))
