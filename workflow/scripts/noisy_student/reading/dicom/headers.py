"""Headers of DICOM files: one slice in a file as scanners write them, many in an enhanced (multi-frame) one.

An enhanced file says in functional groups what all frames share and what differs for each (DICOM PS3.3, C.7.6.16).
Laid out flat, a frame's header is like that of a slice.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

from noisy_student.errors import InputError
from noisy_student.reading.dicom.slice import EXPORT_AGAIN, Slice, refused
from noisy_student.reading.dicom.values import integer, number, numbers, text
from noisy_student.reading.problems import RIGHT_TO_READ

SERIES, CLASS, MODALITY, THICKNESS = 0x0020000E, 0x00080016, 0x00080060, 0x00180050
INSTANCE = 0x00080018
ACQUISITION, NUMBER, FRAME_OF_REFERENCE = 0x00200012, 0x00200013, 0x00200052
POSITION, ORIENTATION, SPACING, ROWS, COLUMNS = 0x00200032, 0x00200037, 0x00280030, 0x00280010, 0x00280011
SAMPLES, PHOTOMETRIC, FRAMES = 0x00280002, 0x00280004, 0x00280008
BITS, HIGH_BIT, IS_SIGNED = 0x00280101, 0x00280102, 0x00280103
PADDING, PADDING_LIMIT, INTERCEPT, SLOPE, TABLE = 0x00280120, 0x00280121, 0x00281052, 0x00281053, 0x00283000
SHARED, PER_FRAME = 0x52009229, 0x52009230
TAGS = [
    SERIES, CLASS, INSTANCE, MODALITY, THICKNESS, ACQUISITION, NUMBER, FRAME_OF_REFERENCE, POSITION, ORIENTATION,
    SPACING, ROWS, COLUMNS, SAMPLES, PHOTOMETRIC, FRAMES, BITS, HIGH_BIT, IS_SIGNED, PADDING, PADDING_LIMIT,
    INTERCEPT, SLOPE, TABLE, SHARED, PER_FRAME,
]  # fmt: skip
# Functional groups with a frame's pixel spacing, position, orientation and rescaling.
GROUPS = (0x00289110, 0x00209113, 0x00209116, 0x00289145)
# What lies beside images and is none.
NO_IMAGE = {
    "RTSTRUCT": "a structure set", "SEG": "a segmentation", "SR": "a report", "PR": "a presentation state",
    "KO": "a list of key images", "REG": "a registration", "RTPLAN": "a treatment plan", "RTDOSE": "a dose",
}  # fmt: skip
# Values are read as they are stored; what pydicom thinks of other ones is no business of the user's.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
NO_UID = UID("")
TAKE_OUT = "take it out: structure sets, segmentations, reports and pictures belong in another folder"


def read_headers(path: Path) -> list[Slice]:
    """The slice of a file, or all frames of an enhanced one. Raises InputError for a file that is no such image."""
    try:
        data = pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=TAGS)
        return _slices(path, data)
    except InputError:
        raise
    except PermissionError as error:
        raise refused(path.parent, f"{path.name} may not be read", RIGHT_TO_READ) from error
    except Exception as error:  # pydicom raises whatever damaged bytes lead to
        raise _no_image(path) from error


def _slices(path: Path, data: Dataset) -> list[Slice]:
    _require_image(path, data)
    if PER_FRAME in data:
        return [_slice(path, frame, place) for place, frame in enumerate(_frames(path, data))]
    if (numbers(data, FRAMES) or [1]) != [1]:
        found = f"{path.name} holds {text(data, FRAMES)} frames and does not say where they lie"
        raise refused(path.parent, found, "export the series as CT images, one slice a file, or as enhanced CT")
    return [_slice(path, data, None)]


def _require_image(path: Path, data: Dataset) -> None:
    if (kind := text(data, MODALITY)) in NO_IMAGE:
        remedy = f"{TAKE_OUT}; a segmentation or structure set is read as a label map, by its own name"
        raise refused(path.parent, f"{path.name} is {NO_IMAGE[kind]}", remedy)
    if not integer(data, ROWS) or not integer(data, COLUMNS):
        raise _no_image(path, UID(text(data, CLASS)))
    if integer(data, SAMPLES) not in (1, None):
        raise refused(path.parent, f"{path.name} holds a picture in colours", TAKE_OUT)


def _no_image(path: Path, kind: UID = NO_UID) -> InputError:
    if kind.is_valid and kind.name != kind and "Image Storage" not in kind.name:
        return refused(path.parent, f"{path.name} is no image ({kind.name})", TAKE_OUT)
    found = f"{path.name} cannot be read as an image: damaged, cut off or none"
    return refused(path.parent, found, f"restore the file, or {TAKE_OUT}")


def _frames(path: Path, data: Dataset) -> Iterator[Dataset]:
    """A flat header for each frame of an enhanced file."""
    frames, count = data[PER_FRAME].value, number(data, FRAMES)
    if len(frames) != count:
        raise refused(path.parent, f"{path.name} describes {len(frames)} frames and holds {count or 1:g}", EXPORT_AGAIN)
    shared = list(data[SHARED].value) if SHARED in data else []
    for frame in frames:
        flat = Dataset()
        flat.update(data)
        for groups in (*shared, frame):
            for group in GROUPS:
                for item in groups[group].value if group in groups else ():
                    flat.update(item)
        yield flat


def _slice(path: Path, data: Dataset, frame: int | None) -> Slice:
    _require_scale(path, data)
    rows_mm, columns_mm = _place(path, data, SPACING, 2)
    bits = integer(data, BITS) or 16
    is_signed = integer(data, IS_SIGNED) == 1
    return Slice(
        path,
        frame,
        instance=text(data, INSTANCE),
        series=text(data, SERIES),
        frame_of_reference=text(data, FRAME_OF_REFERENCE),
        modality=text(data, MODALITY),
        acquisition=text(data, ACQUISITION),
        number=number(data, NUMBER),
        size_xy=(integer(data, COLUMNS) or 0, integer(data, ROWS) or 0),
        spacing_mm_xy=(float(columns_mm), float(rows_mm)),
        position_mm=_place(path, data, POSITION, 3),
        axes=_place(path, data, ORIENTATION, 6).reshape(2, 3),
        thickness_mm=number(data, THICKNESS),
        intercept=number(data, INTERCEPT),
        slope=number(data, SLOPE),
        bits=bits,
        bits_below=max(0, (integer(data, HIGH_BIT) or 0) + 1 - bits),
        is_signed=is_signed,
        is_inverted=text(data, PHOTOMETRIC) == "MONOCHROME1",
        padding=_padding(data, is_signed),
    )


def _require_scale(path: Path, data: Dataset) -> None:
    """Raise InputError where stored values become Hounsfield units in another way than by slope and intercept."""
    for tag, name in ((SLOPE, "slope"), (INTERCEPT, "intercept")):
        if text(data, tag) and number(data, tag) is None:
            raise refused(path.parent, f"{path.name} has a rescale {name} that is no number", EXPORT_AGAIN)
    if number(data, SLOPE) == 0:
        raise refused(path.parent, f"{path.name} has a rescale slope of 0", EXPORT_AGAIN)
    if TABLE in data and number(data, SLOPE) is None:
        found = f"{path.name} gives its values by a table (Modality LUT) instead of rescale slope and intercept"
        raise refused(path.parent, found, "export the series again, with rescale slope and intercept")


def _padding(data: Dataset, is_signed: bool) -> tuple[int, int] | None:
    """The lowest and the highest stored value that mean that there is no voxel."""
    ends = [integer(data, tag) for tag in (PADDING, PADDING_LIMIT)]
    found = [end - (1 << 16) if is_signed and end >= 1 << 15 else end for end in ends if end is not None]
    return None if ends[0] is None else (min(found), max(found))


def _place(path: Path, data: Dataset, tag: int, count: int) -> np.ndarray:
    """Numbers without which nobody knows where a slice lies. Raises InputError if they are not there."""
    values = numbers(data, tag)
    if len(values) != count or (tag == SPACING and min(values) <= 0):
        found = f"{path.name} does not say where it lies (tag {tag >> 16:04x}|{tag & 0xFFFF:04x})"
        remedy = f"take it out if it is no slice (a dose page, a screenshot); else {EXPORT_AGAIN}"
        raise refused(path.parent, found, remedy)
    return np.array(values)
