"""Slices of a scan as viewers count them."""

from collections.abc import Sequence

import numpy as np

from noisy_student.geometry import Geometry
from noisy_student.review.doubt import OrganDoubt


def numbers(slices: Sequence[int], count: int, letters: str) -> list[int]:
    """The numbers that slices (z, of `count` from foot to head) have in a file stored towards `letters`, from 1.

    Along whichever axis of the file runs between foot and head.
    """
    return sorted(z + 1 if "S" in letters else count - z for z in slices)


def heights_mm(slices: Sequence[int], canonical: Geometry) -> tuple[float, float]:
    """The heights of the lowest and of the highest slice, as 3D Slicer shows them (S), in the middle of the slice."""
    x, y, _ = ((size - 1) / 2 for size in canonical.size_xyz)
    ends = np.array([[x, y, min(slices)], [x, y, max(slices)]])
    low, high = canonical.places_mm(ends)[:, 2]
    return float(low), float(high)


def runs(values: Sequence[int]) -> str:
    """Sorted whole numbers as text, `3-7, 9`."""
    parts: list[list[int]] = []
    for value in values:
        if parts and value == parts[-1][-1] + 1:
            parts[-1].append(value)
        else:
            parts.append([value])
    return ", ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def ml_text(ml: float) -> str:
    """A volume in ml without digits that say nothing."""
    return f"{ml:.0f}" if ml >= 10 else f"{ml:.2g}"


def in_words(organ: OrganDoubt, canonical: Geometry, letters: str) -> str:
    """What to look at of an organ, and where."""
    if organ.is_missing:
        what = f"{organ.organ.name}: not found"
    else:
        what = f"{organ.organ.name}: {ml_text(organ.ml)} ml in doubt of {ml_text(organ.volume_ml)} ml"
    if not organ.slices:
        return what
    low, high = heights_mm(organ.slices, canonical)
    at = runs(numbers(organ.slices, canonical.size_xyz[2], letters))
    return f"{what}, slices {at} (S {low:.0f} to {high:.0f} mm)"
