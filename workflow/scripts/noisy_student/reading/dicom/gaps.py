"""Which distances of slices are those of a whole series, and which show that slices are missing.

A series of two slice thicknesses has a run of equal distances for each. A distance that is wider than both beside it,
or wider than its slices are thick where others are not, is a place where slices are missing.
"""

from pathlib import Path

import numpy as np

from noisy_student.errors import InputError
from noisy_student.reading.dicom.slice import EXPORT_AGAIN, refused
from noisy_student.reading.dicom.stack import Stack

# What rounding of positions to 0.1 mm may shift a slice by.
ROUNDED_MM = 0.1 + 1e-6
# How far slices may be from an even grid: a share of their distance, or what rounding does.
UNEVEN = 0.1
# How far one distance may be from the usual one on an even grid.
ODD = 0.4
# How many times as thick as its slices a distance is where one is missing, and where slices overlap.
WIDE, NARROW = 1.5, 0.75
# How many equal distances are a thickness of its own, where the headers do not say so.
RUN = 3
# dcm2niix leaves distances alone that differ by less than this. Slices that are shifted by more pixels are tilted.
DCM2NIIX_SEES_MM, TILTED = 0.2, 0.1
LOST = "; if they are lost, "


def is_even(gaps_mm: np.ndarray) -> bool:
    """Whether slices at these distances are near enough to one even grid."""
    usual = np.median(gaps_mm)
    heights_mm = np.cumsum([0, *gaps_mm])
    off_mm = np.abs(heights_mm - np.linspace(0, heights_mm[-1], len(heights_mm))).max()
    is_usual = np.abs(gaps_mm - usual).max() <= max(ODD * usual, ROUNDED_MM)
    return bool(is_usual and off_mm <= max(UNEVEN * gaps_mm.mean(), ROUNDED_MM))


def distances_mm(gaps_mm: np.ndarray) -> str:
    """The distances in words, widest first: each one if they are few, else from the least to the greatest."""
    single = _runs(np.sort(gaps_mm)[::-1])
    usual = [run for run in single if len(run) > 1] or single
    if len(usual) > 3:
        return f"{gaps_mm.min():.4g} to {gaps_mm.max():.4g}"
    *most, last = [f"{np.median(run):.4g}" for run in usual]
    return f"{', '.join(most)} and {last}" if most else last


def require_whole(folder: Path, stack: Stack) -> None:
    """Raise InputError unless uneven slices are those of a few thicknesses, each in a run of its own."""
    gaps_mm, thick_mm = stack.gaps_mm, _thicknesses_mm(stack)
    wide = gaps_mm > _beside(gaps_mm, np.minimum, np.maximum) * (1 + UNEVEN) + ROUNDED_MM
    if thick_mm is not None:
        thickness = gaps_mm / np.maximum(thick_mm[1:], thick_mm[:-1])
        wide |= (thickness > WIDE) & (thickness.min() <= WIDE)
    if wide.any():
        raise _uneven(folder, stack, int(np.where(wide, gaps_mm, 0).argmax()))
    narrow = gaps_mm < _beside(gaps_mm, np.maximum, np.minimum) * (1 - UNEVEN) - ROUNDED_MM
    if narrow.any() or not (_is_by_thickness(gaps_mm, thick_mm) or _has_long_runs(gaps_mm)):
        raise _uneven(folder, stack, int(gaps_mm.argmax()))


def _thicknesses_mm(stack: Stack) -> np.ndarray | None:
    """The thickness of each slice, if all say one."""
    thick = [slice_.thickness_mm for slice_ in stack.slices]
    return np.array(thick, float) if all(thick) else None


def _beside(gaps_mm: np.ndarray, of_slice: np.ufunc, of_gap: np.ufunc) -> np.ndarray:
    """What the distances beside let one expect of each distance: of its two slices, each by the distances it is in."""
    inner = of_slice(gaps_mm[1:], gaps_mm[:-1]) if len(gaps_mm) > 1 else gaps_mm
    slices = np.concatenate([inner[:1], inner, inner[-1:]])[: len(gaps_mm) + 1]
    return of_gap(slices[1:], slices[:-1])


def _is_by_thickness(gaps_mm: np.ndarray, thick_mm: np.ndarray | None) -> bool:
    """Whether all distances are about as wide as the slices are thick."""
    if thick_mm is None:
        return False
    thin, thick = np.minimum(thick_mm[1:], thick_mm[:-1]), np.maximum(thick_mm[1:], thick_mm[:-1])
    return bool(((gaps_mm >= NARROW * thin) & (gaps_mm <= WIDE * thick)).all())


def _has_long_runs(gaps_mm: np.ndarray) -> bool:
    """Whether equal distances come in runs; between two runs there may be one that is like neither."""
    lengths = [len(run) for run in _runs(gaps_mm)]
    return min(lengths[0], lengths[-1]) >= RUN and all(length == 1 or length >= RUN for length in lengths)


def _runs(gaps_mm: np.ndarray) -> list[np.ndarray]:
    """The distances in stretches in which each is about like the next."""
    changes = np.abs(np.diff(gaps_mm)) > np.maximum(UNEVEN * np.minimum(gaps_mm[1:], gaps_mm[:-1]), ROUNDED_MM)
    return np.split(gaps_mm, np.flatnonzero(changes) + 1)


def _uneven(folder: Path, stack: Stack, at: int) -> InputError:
    gaps_mm, slices = stack.gaps_mm, stack.slices
    found = (
        f"slices {gaps_mm.min():.4g} to {gaps_mm.max():.4g} mm apart (median {np.median(gaps_mm):.4g} mm), "
        f"the widest gap between {slices[at].name} and {slices[at + 1].name}"
    )
    if slices[0].frame is not None:
        return refused(folder, found, f"missing frames cannot be made up: {EXPORT_AGAIN}, with all frames")
    return refused(folder, found, f"restore missing slices{_by_dcm2niix(stack)}")


def _by_dcm2niix(stack: Stack) -> str:
    """What else helps where dcm2niix does: not where a tilt is to be corrected too, nor by its default option."""
    if np.ptp(stack.shifts_xy, axis=0).max() > TILTED or np.ptp(stack.gaps_mm) <= DCM2NIIX_SEES_MM:
        return ""
    return f"{LOST}`dcm2niix -l n` fills the gap from those beside it: name its file that ends in _Eq_1"
