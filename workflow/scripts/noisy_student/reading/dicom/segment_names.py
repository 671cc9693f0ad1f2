"""What a segment of a DICOM segmentation may be called: its label, or the code of its kind, with a side.

Format: DICOM PS3.3, 10.7 and C.8.20.4.
"""

from pydicom.dataset import Dataset

from noisy_student.reading.dicom.objects import item

# Codes of sides in SNOMED CT and SNOMED RT.
SIDES = {"7771000": "left", "24028007": "right", "G-A101": "left", "G-A100": "right"}


def names_of(segment: Dataset) -> tuple[str, ...]:
    """What a segment is called, best first: its label with the side that a modifier adds, its label, its kind."""
    kind = item(segment, "SegmentedPropertyTypeCodeSequence")
    modifiers = kind.get("SegmentedPropertyTypeModifierCodeSequence") or ()
    side = next(filter(None, map(_side, modifiers)), "")
    words = [str(segment.get("SegmentLabel", "")).strip(), str(kind.get("CodeMeaning", "")).strip()]
    is_sided = any(other in words[0].lower() for other in SIDES.values())
    first = f"{side} {words[0]}" if side and words[0] and not is_sided else words[0]
    found = (first, words[0], f"{side} {words[1]}".strip(), words[1])
    return tuple(dict.fromkeys(filter(None, found))) or (f"segment {segment.SegmentNumber}",)


def _side(modifier: Dataset) -> str:
    meaning = str(modifier.get("CodeMeaning", "")).strip().lower()
    return SIDES.get(str(modifier.get("CodeValue", "")), meaning if meaning in SIDES.values() else "")
