"""What a segment of a DICOM segmentation may be called: its label, or the code of its kind, with a side.

The kind counts only where the label says nothing, or nothing else: a metastasis may have its organ's kind.
Format: DICOM PS3.3, 10.7 and C.8.20.4.
"""

import re

from pydicom.dataset import Dataset

from noisy_student.organs import SIDES, words_of
from noisy_student.reading.dicom.objects import item
from noisy_student.reading.segments import Segment

# Codes of sides in SNOMED CT and SNOMED RT.
CODES = {"7771000": "left", "24028007": "right", "G-A101": "left", "G-A100": "right"}
# Words of labels that say nothing, as `Segment_1`, `ROI 3` and `new label`.
NOTHING = {
    "segment", "segmentation", "seg", "label", "roi", "region", "structure", "object", "organ", "mask", "contour",
    "class", "number", "no", "new", "unnamed", "untitled",
}  # fmt: skip


def segment_of(described: Dataset) -> Segment:
    """A segment as its item of the SegmentSequence describes it."""
    number, label = int(described.SegmentNumber), _label(described)
    return Segment(number, f"segment {number}", names_of(described), label, _contradiction(described))


def names_of(segment: Dataset) -> tuple[str, ...]:
    """What a segment is called, best first: its label with the side that a modifier adds, its label, its kind."""
    label, kind, side = _label(segment), _kind(segment), _side_of_modifiers(segment)
    found = [_sided(side, label), label]
    if _says_no_more(label, kind):
        of_label = _sides(label)
        found += [_sided(side or (next(iter(of_label)) if len(of_label) == 1 else ""), kind), kind]
    return tuple(dict.fromkeys(filter(None, found))) or (f"segment {segment.SegmentNumber}",)


def _contradiction(segment: Dataset) -> str:
    """What is said of two sides that a segment has by its label and its kind; empty if it has one or none."""
    side = _side_of_modifiers(segment)
    stated = [_sides(_label(segment)), _sides(_kind(segment)), {side} - {""}]
    if len({frozenset(sides) for sides in stated if sides}) < 2:
        return ""
    return f"{_label(segment)!r}, is {_sided(side, _kind(segment))!r} by its property type and its modifier"


def _label(segment: Dataset) -> str:
    return str(segment.get("SegmentLabel", "")).strip()


def _kind(segment: Dataset) -> str:
    return str(item(segment, "SegmentedPropertyTypeCodeSequence").get("CodeMeaning", "")).strip()


def _side_of_modifiers(segment: Dataset) -> str:
    kind = item(segment, "SegmentedPropertyTypeCodeSequence")
    return next(filter(None, map(_side, kind.get("SegmentedPropertyTypeModifierCodeSequence") or ())), "")


def _side(modifier: Dataset) -> str:
    meaning = str(modifier.get("CodeMeaning", "")).strip().lower()
    return CODES.get(str(modifier.get("CodeValue", "")), meaning if meaning in CODES.values() else "")


def _sides(name: str) -> set[str]:
    return {SIDES[word] for word in words_of(name) if word in SIDES}


def _sided(side: str, name: str) -> str:
    """The name with a side, if it has none."""
    return f"{side} {name}" if side and name and not _sides(name) else name


def _says_no_more(label: str, kind: str) -> bool:
    """Whether a label is words of its kind alone, or says nothing but a number or a letter; its side aside."""
    words = set(words_of(label)) - set(SIDES)
    return words <= set(words_of(kind)) or all(
        len(word) < 2 or word in NOTHING for word in (re.sub(r"\d", "", word) for word in words)
    )
