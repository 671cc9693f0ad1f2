"""A CT series from DICOM files: voxels in Hounsfield units on an upright, even grid, nothing of the patient.

Slices need not stand upright on each other at one distance: those of a tilted gantry, or of several thicknesses, are
resampled. Where slices are missing or acquisitions overlap, organs would come out deformed, and the series is refused.
"""

import locale
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.reading.dicom.acquisitions import overlapping
from noisy_student.reading.dicom.files import dicom_files, may_be_read, visible_files
from noisy_student.reading.dicom.gaps import is_even, require_whole
from noisy_student.reading.dicom.grid import on_grid
from noisy_student.reading.dicom.headers import read_headers
from noisy_student.reading.dicom.padding import without_padding
from noisy_student.reading.dicom.pixels import as_short, is_in_upper_bits, read_labels, read_pixels
from noisy_student.reading.dicom.slice import EXPORT_AGAIN, ONE_ACQUISITION, ONE_SERIES, Slice, refused
from noisy_student.reading.dicom.stack import Stack, stack
from noisy_student.reading.itk import volume_of
from noisy_student.reading.names import extension_of
from noisy_student.reading.problems import RIGHT_TO_READ
from noisy_student.reading.volume import ACQUISITIONS, NOT_CT, Remark, Volume


@contextmanager
def kept_locale() -> Iterator[None]:
    """Keep the process's locale for the length of a block: GDCM sets it to C, and text files are ASCII from then on."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


def read(folder: Path) -> Volume:
    """The series of a folder as one volume in Hounsfield units. Raises InputError unless it is one whole series."""
    return _volume(folder, _slices_in(folder))


def read_file(path: Path) -> Volume:
    """A scan given as one file of many frames. Raises InputError for a slice of a series."""
    slices = read_headers(path)
    if slices[0].frame is None:
        raise InputError(ONE_SERIES, f"one slice, {path}", f"name its folder: {path.parent}")
    return _volume(path, slices)


@kept_locale()
def read_mask(folder: Path) -> Volume:
    """A mask given as the folder of its slices, of any modality; where they are no grid, the nearest slice counts.

    Raises InputError unless it is one whole series.
    """
    whole, remarks = stack(folder, _slices_in(folder))
    of_mask = {"severity": "warning", "remedy": "nothing, if the slices of its scan are one acquisition's"}
    remarks += [replace(remark, **of_mask) for remark in _acquisitions(folder, whole)]
    image, _, corrected = on_grid(folder, read_labels(folder, whole.slices), whole, is_labels=True)
    return volume_of(folder, image, tuple(remarks), corrected)


def _slices_in(folder: Path) -> list[Slice]:
    if not (files := dicom_files(folder)):
        raise _no_slices(folder)
    return [slice_ for path in files for slice_ in read_headers(path)]


def _no_slices(folder: Path) -> InputError:
    """The error for a folder without DICOM files."""
    if not may_be_read(folder):
        return refused(folder, "a folder that may not be read", RIGHT_TO_READ)
    files = visible_files(folder)
    if images := [path for path in files if extension_of(path)]:
        found = f"no DICOM files, but {len(images)} image file(s) such as {images[0].relative_to(folder)}"
        return refused(folder, found, "name the file itself, not its folder")
    found = f"no DICOM files, only {len(files)} other(s) such as {files[0].name}" if files else "an empty folder"
    return refused(folder, found, "bring the series' slices back, or take the folder out")


@kept_locale()
def _volume(path: Path, slices: Sequence[Slice]) -> Volume:
    whole, remarks = stack(path, slices)
    _require_one_scale(path, whole.slices)
    _require_lowest_bits(path, whole.slices)
    remarks += [*_acquisitions(path, whole), *_modality(whole.slices)]
    image, padding = without_padding(read_pixels(path, whole.slices), whole.slices)
    image, acquired, corrected = on_grid(path, as_short(image), whole)
    remarks += [*padding, *([_resampled(corrected)] if corrected else [])]
    return replace(volume_of(path, image, tuple(remarks), corrected), acquired=acquired)


def _require_one_scale(path: Path, slices: Sequence[Slice]) -> None:
    """Raise InputError if some slices lack the intercept or slope by which the others become Hounsfield units."""
    lacking = [slice_ for slice_ in slices if not slice_.is_scaled]
    others = [slice_ for slice_ in slices if slice_.is_scaled and slice_.scale != (1, 0)]
    if lacking and others:
        found = (
            f"{len(lacking)} slice(s) such as {lacking[0].name} without the rescale intercept or slope that "
            f"{len(others)} others such as {others[0].name} have ({others[0].scale[1]:g} and {others[0].scale[0]:g})"
        )
        raise refused(path, found, f"{EXPORT_AGAIN}, or take those slices out if they are not of the series")


def _require_lowest_bits(path: Path, slices: Sequence[Slice]) -> None:
    if odd := next(filter(is_in_upper_bits, slices), None):
        found = f"{odd.name} stores its values above {odd.bits_below} unused bits (0028|0102 is not 0028|0101 less one)"
        raise refused(path, found, f"{EXPORT_AGAIN}, with the values in the lowest bits")


def _acquisitions(path: Path, whole: Stack) -> list[Remark]:
    """What is to be said of acquisitions. Raises InputError where the slices make up no whole grid."""
    rivals = overlapping(whole)
    if not rivals:
        if not is_even(whole.gaps_mm):
            require_whole(path, whole)
        return []
    found = f"slices of one acquisition among those of another, such as {rivals[1].name} next to {rivals[0].name}"
    if not is_even(whole.gaps_mm):
        raise refused(path, found, ONE_ACQUISITION)
    remedy = f"{ONE_ACQUISITION}; if they are one, name it under `cohort.accept` (label_scan.py: --accept)"
    return [Remark(ACQUISITIONS, f"{found}, evenly", "one acquisition", remedy, "error")]


def _modality(slices: Sequence[Slice]) -> list[Remark]:
    names = sorted({slice_.modality or "unknown" for slice_ in slices})
    if names == ["CT"]:
        return []
    remedy = "take it out; if it is meant to be used, name it under `cohort.accept` (label_scan.py: --accept)"
    return [Remark(NOT_CT, f"modality {', '.join(names)}", "a CT (modality CT)", remedy, "error")]


def _resampled(corrected: str) -> Remark:
    remedy = "nothing, but files of label maps lie on the resampled grid; DICOM ones may lie on the slices as stored"
    return Remark("resampled", corrected, "upright slices at one distance", remedy)
