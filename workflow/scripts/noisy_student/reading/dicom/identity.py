"""Of whom and of which series a DICOM file is, by its header alone: for archives, whose folders say nothing."""

import re
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from noisy_student.errors import InputError
from noisy_student.reading.dicom.files import is_dicom
from noisy_student.reading.dicom.headers import (
    FRAMES,
    INSTANCE,
    MODALITY,
    ORIENTATION,
    POSITION,
    SERIES,
    THICKNESS,
    read_headers,
)
from noisy_student.reading.dicom.values import number, numbers, text

PATIENT, STUDY, TYPE = 0x00100020, 0x0020000D, 0x00080008
ISSUER, BIRTH_DATE = 0x00100021, 0x00100030
NAME, DESCRIPTION = "PatientName", "SeriesDescription"
# Sequences that lead from a segmentation, and from a structure set, to the series that they were drawn on.
OF_SEGMENTATION = ("ReferencedSeriesSequence",)
OF_STRUCTURES = ("ReferencedFrameOfReferenceSequence", "RTReferencedStudySequence", "RTReferencedSeriesSequence")
LABEL_MAPS = {"SEG": OF_SEGMENTATION, "RTSTRUCT": OF_STRUCTURES}
TAGS = [
    *(PATIENT, ISSUER, NAME, BIRTH_DATE),
    *(STUDY, SERIES, INSTANCE, MODALITY, TYPE, DESCRIPTION, ORIENTATION, POSITION, THICKNESS, FRAMES),
    *(OF_SEGMENTATION[0], OF_STRUCTURES[0]),
]
PLANES = ("sagittal", "coronal", "axial")
NO_DICOM, DAMAGED = "no DICOM", "damaged, cut off or of no series"
LOCALIZER, SECONDARY = "LOCALIZER", "SECONDARY"
# Words of ImageType by which scanners and workstations name reformats and projections.
DERIVED = {"MPR", "MIP", "MINIP", "REFORMATTED", "PROJECTION", "CURVED", "VRT", "SSD"}


class SeriesHeader(NamedTuple):
    """What the images of a series share. `plane`: how slices lie in the body, empty where a header does not say it.

    `patient`: the ID, which `issuer` gave. `refers`: the series that a segmentation or structure set was drawn on.
    """

    patient: str
    study: str
    series: str
    modality: str
    type: str
    description: str
    plane: str
    thickness_mm: float | None
    issuer: str
    name: str
    birth_date: str
    refers: tuple[str, ...]

    @property
    def is_localizer(self) -> bool:
        """Whether it is an overview on which the scan was planned."""
        return LOCALIZER in self.type.upper().split("\\")

    @property
    def is_derived(self) -> bool:
        """Whether its values were computed from other images of the patient: reformats, projections, screenshots."""
        parts = self.type.upper().split("\\")
        return parts[1:2] == [SECONDARY] or not DERIVED.isdisjoint(re.findall("[A-Z]+", " ".join(parts[2:])))


class Identity(NamedTuple):
    """A file's series, its own number in the world, and where its slices lie along their normal."""

    header: SeriesHeader
    instance: str
    heights_mm: tuple[float, ...]


def identify(path: Path) -> Identity | str:
    """What a file is, or in words why it is none of any series. Raises OSError for one that cannot be read."""
    if not is_dicom(path):
        return NO_DICOM
    try:
        with warnings.catch_warnings(action="ignore"):
            data = pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=TAGS)
            return _identity(path, data) if text(data, SERIES) else DAMAGED
    except OSError:
        raise
    except Exception:  # pydicom raises whatever damaged bytes lead to
        return DAMAGED


def _identity(path: Path, data: Dataset) -> Identity | str:
    modality = text(data, MODALITY)
    places = [] if modality in LABEL_MAPS else _places(path, data)
    heights_mm = [round(float(position @ np.cross(*axes)), 3) for axes, position in places]
    header = SeriesHeader(
        patient=text(data, PATIENT),
        study=text(data, STUDY),
        series=text(data, SERIES),
        modality=modality,
        type=text(data, TYPE),
        description=str(data.get(DESCRIPTION) or ""),
        plane=_plane(places[0][0]) if places else "",
        thickness_mm=number(data, THICKNESS),
        issuer=text(data, ISSUER),
        name=str(data.get(NAME) or ""),
        birth_date=text(data, BIRTH_DATE),
        refers=referred_series(data, LABEL_MAPS.get(modality, ())),
    )
    return Identity(header, text(data, INSTANCE), tuple(heights_mm))


def _places(path: Path, data: Dataset) -> list[tuple[np.ndarray, np.ndarray]]:
    """Axes (2, 3) and position of the slice, or of each frame of an enhanced file; none where it says none."""
    if (number(data, FRAMES) or 1) > 1:
        try:
            return [(slice_.axes, slice_.position_mm) for slice_ in read_headers(path)]
        except InputError:
            return []
    axes, position = numbers(data, ORIENTATION), numbers(data, POSITION)
    is_placed = len(axes) == 6 and len(position) == 3
    return [(np.reshape(axes, (2, 3)), np.array(position))] if is_placed else []


def _plane(axes: np.ndarray) -> str:
    return PLANES[int(np.abs(np.cross(*axes)).argmax())]


def referred_series(data: Dataset, sequences: tuple[str, ...]) -> tuple[str, ...]:
    """The series at the end of sequences in sequences, as `LABEL_MAPS` has them for each modality."""
    items = [data]
    for name in sequences:
        items = [below for item in items for below in item.get(name) or ()]
    return tuple(dict.fromkeys(found for item in items if (found := text(item, SERIES))))
