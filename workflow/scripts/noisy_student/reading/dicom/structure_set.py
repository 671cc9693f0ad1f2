"""DICOM structure sets (RTSTRUCT): closed contours of regions of interest, in mm, drawn on the scan's slices.

Each contour goes to the slice nearest to it along the normal. Of one region's contours in a slice a second one within
the first is a hole, and one within that is filled again (exclusive or), as CLOSEDPLANAR_XOR says and planning systems
write CLOSED_PLANAR, too. One that is stored twice counts once. Points and open contours enclose nothing, nor do those
that lack the type that the standard requires.
Format: DICOM PS3.3, C.8.8.5 and C.8.8.6.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from noisy_student.errors import InputError
from noisy_student.reading.canvas import Canvas, canvases, lay
from noisy_student.reading.dicom.contours import filled
from noisy_student.reading.dicom.identity import OF_STRUCTURES
from noisy_student.reading.dicom.named_images import Image, distance_mm, named_images, slices_by_image
from noisy_student.reading.dicom.objects import STRUCTURE_SET, damaged, other_series, require_frame_of_reference
from noisy_student.reading.dicom.values import text
from noisy_student.reading.segments import Rank, Segment, roll_of
from noisy_student.reading.slices import Slices
from noisy_student.reading.volume import Remark, Volume

CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
POINT = "POINT"
CONTOUR_DATA = 0x30060050
# Shares of the slices' distance: how far a contour may be from a slice, and how far apart those of one plane are.
NEAR, ONE_PLANE = 0.5, 0.05
# How many pixels beyond the outermost centres a contour may run.
EDGE = 1
# From which share of the slices between a region's first and last one its missing contours are worth a word; and from
# how many slices on, by the median of a region, contours were drawn on slices further apart.
MANY, APART = 0.25, 1.1
# From which share of the slices' distance on it is worth a word that a contour is off its slice.
OFF = 0.25


# The number of a region, and that of a slice.
Key = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Contour:
    """A closed contour of a region: its points (n, 3) in mm, and the images that it was drawn on, as it says."""

    region: int
    points_mm: np.ndarray
    images: frozenset[Image]


def read(path: Path, scan: Volume, rank: Rank | None) -> Volume:
    """The regions on the scan's grid.

    Raises InputError for a file that is damaged, belongs to another scan or names other slices than it lies on.
    """
    try:
        data = pydicom.dcmread(path)
        regions = {int(region.ROINumber): region for region in data.StructureSetROISequence}
        segments = [Segment(number, f"ROI {number}", (_name(region),)) for number, region in regions.items()]
        contours, lines = list(_contours(data)), _lines(data)
    except Exception as error:  # pydicom raises whatever damaged bytes lead to
        raise damaged(path, STRUCTURE_SET, error) from error
    roll = roll_of(path, segments, rank)
    contours = [contour for contour in contours if contour.region in roll.numbers]
    for number in roll.numbers:
        require_frame_of_reference(path, scan, str(regions[number].get("ReferencedFrameOfReferenceUID", "")))
    canvas = _canvas(scan, contours, roll.kind)
    drawn, places, beyond = _by_slice(canvas, contours)
    _require_on_named(path, scan, [*chain(*drawn.values()), *beyond], regions)
    roll.remarks += _lacking(lines, roll.numbers, regions)
    roll.remarks += [*other_series(scan, data, OF_STRUCTURES), *_beyond(len(beyond), len(contours))]
    roll.remarks += [*_gaps(places, canvas.slices, regions), *_off(places, regions)]
    overlaps = 0
    for (number, slice_number), plane in drawn.items():
        once = {contour.points_mm.tobytes(): contour.points_mm for contour in plane}.values()
        pixels = (canvas.slices.pixels_at(points_mm, slice_number) for points_mm in once)
        mask_yx = filled(pixels, canvas.slices.size_xy)
        overlaps += lay(canvas.voxels[slice_number], mask_yx, roll.numbers[number])
    return roll.volume(canvas.on_scan(), scan, overlaps)


def _name(region: Dataset) -> str:
    return str(region.get("ROIName", "")).strip() or f"ROI {region.ROINumber}"


def _contours(data: Dataset) -> Iterator[Contour]:
    for region in data.get("ROIContourSequence") or ():
        for contour in region.get("ContourSequence") or ():
            if contour.get("ContourGeometricType") in CLOSED:
                # As text, since pydicom makes an object of each of millions of numbers.
                points = text(contour, CONTOUR_DATA).split("\\")
                points_mm = np.array(points, float).reshape(-1, 3)
                yield Contour(int(region.ReferencedROINumber), points_mm, named_images(contour))


def _lines(data: Dataset) -> dict[int, Counter[bool]]:
    """How many contours of each region are closed (True), and how many are not; points are none."""
    lines = defaultdict(Counter)
    for region in data.get("ROIContourSequence") or ():
        for contour in region.get("ContourSequence") or ():
            if (kind := contour.get("ContourGeometricType")) != POINT:
                lines[int(region.ReferencedROINumber)][kind in CLOSED] += 1
    return lines


def _lacking(
    lines: Mapping[int, Counter[bool]], numbers: Iterable[int], regions: Mapping[int, Dataset]
) -> Iterator[Remark]:
    """Remarks on regions that are read and of which something, or all, is not drawn."""
    of_region = {number: lines.get(number, Counter()) for number in numbers}
    not_closed = [(number, found) for number, found in of_region.items() if found[False]]
    empty = [_name(regions[number]) for number, found in of_region.items() if not found]
    labelled = "say which organs are labelled there (`organs`, or the table's column `organs`)"
    if not_closed:
        listed = ", ".join(
            f"{_name(regions[number])} {found[False]} of {found.total()}" for number, found in not_closed
        )
        found = f"contours that are not closed, by their ContourGeometricType, are not drawn: {listed}"
        yield Remark("not closed", found, "closed contours", f"close them where they were drawn, or {labelled}")
    if empty:
        remedy = f"nothing, if it is not in the scan; if it was not contoured, {labelled}"
        yield Remark(
            "empty",
            f"named, without a contour that encloses anything: {', '.join(empty)}",
            "contours of each region",
            remedy,
        )


def _canvas(scan: Volume, contours: Sequence[Contour], kind: np.dtype) -> Canvas:
    """What the contours lie best on, across whichever axis: the slices as acquired, or those of the scan's grid."""
    axes = scan.geometry.axes
    widths_mm = [np.ptp(contour.points_mm @ axes, axis=0) for contour in contours]
    across = int(np.median(widths_mm, axis=0).argmin()) if contours else 2
    places_mm = np.array([contour.points_mm.mean(axis=0) for contour in contours]).reshape(-1, 3)

    def distance(canvas: Canvas) -> float:
        at = canvas.slices.numbers_at(places_mm)
        return round(float(np.abs(at - np.rint(at)).sum()), 2)

    return min(canvases(scan, axes[:, across], kind), key=distance)


def _by_slice(
    canvas: Canvas, contours: Sequence[Contour]
) -> tuple[dict[Key, list[Contour]], dict[Key, float], list[Contour]]:
    """Contours of the plane that is nearest to a slice, and where that is; and those that reach beyond the slices."""
    planes, beyond = defaultdict(list), []
    half_xy = (np.array(canvas.slices.size_xy) - 1) / 2
    for contour in contours:
        at = canvas.slices.numbers_at(contour.points_mm)
        place, number = float(at.mean()), int(np.rint(np.clip(at.mean(), 0, len(canvas.voxels) - 1)))
        if abs(place - number) > NEAR or np.ptp(at) > NEAR:
            beyond.append(contour)
        else:
            pixels = canvas.slices.pixels_at(contour.points_mm, number)
            beyond += [contour] * bool((np.abs(pixels - half_xy) > half_xy + EDGE).any())
            planes[contour.region, number].append((abs(place - number), place, contour))
    nearest = {key: min(found, key=lambda one: one[:2])[1] for key, found in planes.items()}
    return (
        {
            key: [contour for _, place, contour in found if abs(place - nearest[key]) <= ONE_PLANE]
            for key, found in planes.items()
        },
        nearest,
        beyond,
    )


def _require_on_named(path: Path, scan: Volume, contours: Sequence[Contour], regions: dict[int, Dataset]) -> None:
    """Raise InputError where contours lie elsewhere than the slices of the scan that they say they were drawn on."""
    numbers, off_mm = slices_by_image(scan.acquired), defaultdict(list)
    for contour in contours:
        named = [numbers[image] for image in contour.images if image in numbers]
        if off := distance_mm(contour.points_mm, scan.acquired, named):
            off_mm[contour.region].append(off)
    if off_mm:
        listed = ", ".join(
            f"{_name(regions[region])} {max(found):.3g} mm in {len(found)} contour(s)"
            for region, found in off_mm.items()
        )
        remedy = (
            "see on the scan whether position or image is right; if it is the image, have the contours written again, "
            "by a program that does not take all slices to be equally far apart; if the position, take "
            "ContourImageSequence (3006,0016) out of all contours"
        )
        found = f"off the slices that they were drawn on, by their ContourImageSequence: up to {listed}"
        raise InputError(f"contours in {path} that lie on the slices that they name", found, remedy)


def _beyond(contours: int, of_all: int) -> list[Remark]:
    remedy = (
        "nothing, if the scan is a part of the one that was contoured: what lies beyond is left out; else give that one"
    )
    found = f"{contours} of {of_all} contours on none of the scan's slices, or beyond their edges"
    return [Remark("beyond", found, "all contours on the scan", remedy)] if contours else []


def _gaps(places: dict[Key, float], slices: Slices, regions: dict[int, Dataset]) -> list[Remark]:
    """A remark on regions that were contoured on some slices only: nothing fills those between."""
    by_region = defaultdict(list)
    for (region, number), place in sorted(places.items()):
        by_region[region].append((number, place))
    said = [
        f"{_name(regions[region])} {words}" for region, found in by_region.items() if (words := _gap(found, slices))
    ]
    remedy = (
        "if it was contoured on another series of the study, give that one; if on every second slice or so, fill the "
        "others in before it is exported"
    )
    wanted = "a contour on each slice that an organ crosses"
    found = f"no contours on slices between first and last: {', '.join(said)}"
    return [Remark("gaps", found, wanted, remedy)] if said else []


def _gap(found: Sequence[tuple[int, float]], slices: Slices) -> str:
    """Which share of a region's slices lacks contours, if that is many or regular, in words; else empty.

    `found`: slice of each plane, and where it is in slices.
    """
    numbers, places = zip(*found, strict=True)
    share = 1 - len(numbers) / (numbers[-1] - numbers[0] + 1)
    step = float(np.median(np.diff(places))) if len(places) > 1 else 0.0
    if not share or (share <= MANY and step < APART):
        return ""
    if step < APART:
        return f"{share:.0%}"
    slices_mm = float(np.median(np.diff(slices.heights_mm[numbers[0] : numbers[-1] + 1])))
    return f"{share:.0%} (contours {step * slices_mm:.3g} mm apart on slices {slices_mm:.3g} mm apart)"


def _off(places: dict[Key, float], regions: dict[int, Dataset]) -> list[Remark]:
    """A remark on regions with contours between slices, which are drawn on the nearest one."""
    off = defaultdict(list)
    for (region, number), place in places.items():
        off[region].append(abs(place - number))
    said = [
        f"{_name(regions[region])} up to {max(shares):.2g}"
        for region, shares in off.items()
        if round(max(shares), 3) >= OFF
    ]
    found = f"contours off their slices, as a share of the slices' distance: {', '.join(said)}"
    remedy = "nothing, if positions were rounded; if it was contoured on another series of the study, give that one"
    return [Remark("off", found, "contours in the planes of the scan's slices", remedy)] if said else []
