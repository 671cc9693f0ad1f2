"""What reading gives: voxels in canonical orientation, how they were stored, and what has to be said about the file."""

from dataclasses import dataclass, field
from typing import Literal

import SimpleITK as sitk

from noisy_student.geometry import PATIENT_AXES, Geometry
from noisy_student.reading.slices import Acquired

Severity = Literal["error", "warning"]
NOT_CT, ACQUISITIONS = "not CT", "acquisitions"
# What a user may accept by naming the case or its source.
ACCEPTABLE = (NOT_CT, ACQUISITIONS)
# Where nothing was measured.
AIR_HU = -1024


@dataclass(frozen=True)
class Remark:
    """Something about a file that whoever uses it should know. Readers make remarks; what follows is not theirs."""

    kind: str
    found: str
    wanted: str
    remedy: str
    severity: Severity = "warning"


@dataclass(frozen=True)
class Volume:
    """One volume of real numbers.

    `image` is in canonical orientation and bears no texts of the file; `letters` is the orientation in which the file
    stores it. `is_plain`: SimpleITK reads the very same from the file itself. `corrected` says in words how the grid
    was made upright or even, and `scaling` what the header multiplies and adds to stored values; both empty if nothing.
    `names`: what the header calls the labels, number → name. `is_by_name`: the file has names, and its numbers were
    made for them; `cut`: words that all names had besides. `acquired`: the slices of a DICOM series before they came
    onto the grid.
    """

    image: sitk.Image
    letters: str
    remarks: tuple[Remark, ...] = ()
    is_plain: bool = False
    corrected: str = ""
    scaling: str = ""
    names: dict[int, str] = field(default_factory=dict)
    is_by_name: bool = False
    cut: tuple[str, ...] = ()
    acquired: Acquired | None = None

    @property
    def geometry(self) -> Geometry:
        """The canonical grid."""
        return Geometry.of(self.image)

    @property
    def stored_size_xyz(self) -> tuple[int, ...]:
        """The size along the file's own axes."""
        return tuple(self.geometry.size_xyz[PATIENT_AXES[letter]] for letter in self.letters)
