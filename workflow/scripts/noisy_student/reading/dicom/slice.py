"""A slice of a DICOM series as its header describes it: its place, how it is stored, and nothing of the patient."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noisy_student.errors import InputError

ONE_SERIES = "one CT series, all of its slices, and no other images"
ONE_ACQUISITION = "leave one phase or acquisition in the folder, and give each other one a folder of its own"
EXPORT_AGAIN = "export the series again"


@dataclass(frozen=True, eq=False)
class Slice:
    """Position of a slice's first pixel and its row and column axis (x, y, z), and how its voxels are stored.

    `frame` counts from 0 in a file of many frames; it is None in a file of one. `instance` is the file's UID, `number`
    that of the instance, or of the frame. What a header does not say is None, or empty. `padding`: lowest and highest
    stored value that mean none. `bits_below`: how many bits the header leaves below the value's own, as writers seldom
    mean.
    """

    path: Path
    frame: int | None
    instance: str
    series: str
    frame_of_reference: str
    modality: str
    acquisition: str
    number: float | None
    size_xy: tuple[int, int]
    spacing_mm_xy: tuple[float, float]
    position_mm: np.ndarray
    axes: np.ndarray
    thickness_mm: float | None
    intercept: float | None
    slope: float | None
    bits: int
    bits_below: int
    is_signed: bool
    is_inverted: bool
    padding: tuple[int, int] | None

    @property
    def name(self) -> str:
        """How a user finds it."""
        return self.path.name if self.frame is None else f"frame {self.frame + 1} of {self.path.name}"

    @property
    def scale(self) -> tuple[float, float]:
        """What stored values are multiplied with, and what is added then."""
        return 1.0 if self.slope is None else self.slope, self.intercept or 0.0

    @property
    def is_scaled(self) -> bool:
        """Whether slope and intercept are there.

        Some writers put an intercept of 0 where there is none: beside unsigned values that leaves none for air.
        """
        return None not in (self.slope, self.intercept) and self.range_hu[0] < 0

    @property
    def is_whole(self) -> bool:
        """Whether Hounsfield units are whole numbers."""
        return all(number.is_integer() for number in self.scale)

    @property
    def range_hu(self) -> tuple[float, float]:
        """The lowest and the highest value that can be stored, in Hounsfield units."""
        lowest = -(1 << self.bits - 1) if self.is_signed else 0
        slope, intercept = self.scale
        ends = sorted(stored * slope + intercept for stored in (lowest, lowest + (1 << self.bits) - 1))
        return ends[0], ends[1]


def refused(folder: Path, got: str, remedy: str) -> InputError:
    """The error for a series that cannot be read as one volume."""
    return InputError(f"{ONE_SERIES} in {folder}", got, remedy)
