"""Values of a DICOM data set as they are stored, without a library's opinion on their form."""

import numpy as np
from pydicom.dataset import Dataset


def text(data: Dataset, tag: int) -> str:
    """A text, its parts joined by backslashes; empty if it is not there."""
    value = _stored(data, tag)
    return value.decode("latin-1").strip("\x00 ")


def numbers(data: Dataset, tag: int) -> list[float]:
    """Numbers that are stored as text; none if one of them is no number."""
    try:
        found = [float(part) for part in text(data, tag).split("\\")]
    except ValueError:
        return []
    return found if np.isfinite(found).all() else []


def number(data: Dataset, tag: int) -> float | None:
    """The first of numbers that are stored as text."""
    return next(iter(numbers(data, tag)), None)


def integer(data: Dataset, tag: int) -> int | None:
    """A number that is stored in two bytes, whichever sign it is declared with."""
    value = _stored(data, tag)
    return int.from_bytes(value[:2], "little" if data.get_item(tag).is_little_endian else "big") if value else None


def _stored(data: Dataset, tag: int) -> bytes:
    element = data.get_item(tag)
    return element.value if element is not None and isinstance(element.value, bytes) else b""
