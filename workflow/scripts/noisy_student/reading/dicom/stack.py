"""The slices of one DICOM series from first to last: all alike, each once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noisy_student.errors import InputError
from noisy_student.reading.dicom.pixels import are_same_pixels
from noisy_student.reading.dicom.slice import EXPORT_AGAIN, ONE_ACQUISITION, Slice, refused
from noisy_student.reading.volume import Remark

DIRECTION_TOLERANCE = SPACING_TOLERANCE = 1e-3
# How near to each other two slices are at one place.
SAME_PLACE_MM = 0.01
NAMED = 4


@dataclass(frozen=True)
class Stack:
    """Slices from first to last, with the height of each along the normal and its shift across it.

    `axes` (3, 3): the direction of columns, rows and slices, a row each. Heights count from the first slice, in mm;
    shifts (n, 2) are those of the first pixel against the first slice's, in pixels along columns and rows (x, y).
    """

    slices: list[Slice]
    axes: np.ndarray
    heights_mm: np.ndarray
    shifts_xy: np.ndarray

    @property
    def gaps_mm(self) -> np.ndarray:
        """The distance of each slice from the next."""
        return np.diff(self.heights_mm)

    def only(self, numbers: Sequence[int]) -> "Stack":
        """Some of the slices; the first of all is among them."""
        slices = [self.slices[number] for number in numbers]
        return Stack(slices, self.axes, self.heights_mm[numbers], self.shifts_xy[numbers])


def stack(folder: Path, slices: Sequence[Slice]) -> tuple[Stack, list[Remark]]:
    """The slices in order, without copies. Raises InputError unless they are those of one series, each place once."""
    _require_one_series(folder, slices)
    _require_alike(folder, slices)
    once, remarks = _without_copies(folder, _in_order(slices))
    if len(once.slices) < 2:
        raise refused(folder, f"{len(once.slices)} DICOM slice(s)", "export the whole series")
    return once, remarks


def _require_one_series(folder: Path, slices: Sequence[Slice]) -> None:
    by_series = defaultdict(list)
    for slice_ in slices:
        by_series[slice_.series].append(slice_.path)
    if len(by_series) > 1:
        listed = "; ".join(_files_of(folder, paths) for paths in list(by_series.values())[:NAMED])
        listed += "; …" * (len(by_series) > NAMED)
        remedy = (
            "leave one series in the folder, or name a folder for each, which has that alone; as a run's scans, a "
            "whole export is an `archive` (config/README.md#a-dicom-archive-as-it-is)"
        )
        raise refused(folder, f"{len(by_series)} series: {listed}", remedy)
    if not slices:
        raise refused(folder, "0 DICOM slice(s)", "export the whole series")


def _files_of(folder: Path, paths: list[Path]) -> str:
    """How many files a series has, and where one of them lies."""
    first = paths[0].relative_to(folder) if paths[0].is_relative_to(folder) else paths[0].name
    return f"{len(set(paths))} file(s) such as {first}"


def _require_alike(folder: Path, slices: Sequence[Slice]) -> None:
    first, axes = slices[0], np.array([slice_.axes for slice_ in slices])
    sizes, spacings = (np.array([getattr(slice_, name) for slice_ in slices]) for name in ("size_xy", "spacing_mm_xy"))
    for what, differs in (
        ("size", sizes != sizes[0]),
        ("pixel spacing", np.abs(spacings / spacings[0] - 1) > SPACING_TOLERANCE),
        ("orientation", np.abs(axes - axes[0]).max(axis=2) > DIRECTION_TOLERANCE),
    ):
        if differs.any():
            odd = slices[int(differs.any(axis=1).argmax())]
            remedy = "take localizers and secondary images out of the folder"
            raise refused(folder, f"{odd.name} and {first.name} differ in {what}", remedy)
    if not np.allclose(axes[0] @ axes[0].T, np.eye(2), atol=3 * DIRECTION_TOLERANCE):
        raise refused(folder, "axes of the slices that are not perpendicular", EXPORT_AGAIN)


def _in_order(slices: Sequence[Slice]) -> Stack:
    axes = _right_angled(slices[0].axes)
    places_mm = np.array([slice_.position_mm for slice_ in slices]) @ axes.T
    order = np.argsort(places_mm[:, 2], kind="stable")
    places_mm = places_mm[order] - places_mm[order[0]]
    shifts_xy = places_mm[:, :2] / slices[0].spacing_mm_xy
    return Stack([slices[number] for number in order], axes, places_mm[:, 2], shifts_xy)


def _right_angled(axes: np.ndarray) -> np.ndarray:
    """Row and column axis with their normal (3, 3), exactly perpendicular where the header's are rounded."""
    if not np.allclose(axes @ axes.T, np.eye(2), atol=1e-6):
        left, _, right = np.linalg.svd(axes, full_matrices=False)
        axes = left @ right
    return np.vstack([axes, np.cross(*axes)])


def _without_copies(folder: Path, whole: Stack) -> tuple[Stack, list[Remark]]:
    kept, copies, rivals = [], [], []
    for group in _at_one_place(whole):
        first, *others = group
        different = [number for number in others if not _are_copies(whole.slices[first], whole.slices[number])]
        copies += [whole.slices[number] for number in others if number not in different]
        rivals += [(whole.slices[first], whole.slices[number]) for number in different]
        kept.append(first)
    if rivals:
        raise _phases(folder, rivals)
    return whole.only(kept), [_left_out(copies)] if copies else []


def _are_copies(first: Slice, second: Slice) -> bool:
    """Whether two slices at one height are the same one, by place and content: instance UIDs are not always kept."""
    is_same_place = np.abs(first.position_mm - second.position_mm).max() <= SAME_PLACE_MM
    return bool(is_same_place) and are_same_pixels(first, second)


def _at_one_place(whole: Stack) -> Iterator[list[int]]:
    """Numbers of the slices, those at one place together."""
    ends = [*(np.flatnonzero(whole.gaps_mm > SAME_PLACE_MM) + 1), len(whole.slices)]
    start = 0
    for end in ends:
        yield list(range(start, int(end)))
        start = int(end)


def _phases(folder: Path, rivals: list[tuple[Slice, Slice]]) -> InputError:
    first, second = rivals[0]
    numbers = f" (acquisitions {first.acquisition} and {second.acquisition})"
    found = (
        f"{len(rivals)} slice(s) at the place of another one that differs, such as {first.name} and {second.name}"
        f"{numbers if first.acquisition != second.acquisition else ''}"
    )
    return refused(folder, found, ONE_ACQUISITION)


def _left_out(copies: list[Slice]) -> Remark:
    names = ", ".join(slice_.name for slice_ in copies[:3])
    found = f"{len(copies)} slice(s) that are copies of others: {names}{' …' if len(copies) > 3 else ''}"
    return Remark("copies", found, "each slice once", "nothing: the copies are left out")
