"""What is written: a label map, what its numbers mean, and who made it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from noisy_student.geometry import image_like
from noisy_student.model.records import SHORT
from noisy_student.organs import LEFT, RIGHT, Organ
from noisy_student.writing.checksum import of_voxels

# ITK's name of a file's own description: NIfTI's `descrip`, a key of NRRD and MHA.
NOTE = "ITK_FileNotes"
SIDES = {RIGHT: "Right", LEFT: "Left"}


@dataclass(frozen=True)
class Segmentation:
    """A label map on its scan's grid, and the organs that its numbers stand for.

    `made_by` names the model that made it. `note` is for the file's own description, before a checksum of the voxels;
    empty for none.
    """

    label_map: sitk.Image
    organs: Sequence[Organ]
    made_by: str
    note: str = ""

    @property
    def voxels_zyx(self) -> np.ndarray:
        """The numbers (z, y, x), a view."""
        return sitk.GetArrayViewFromImage(self.label_map)

    @property
    def described(self) -> str:
        """The note with the checksum."""
        return with_checksum(self.note, of_voxels(self.label_map)) if self.note else ""

    @property
    def plain_image(self) -> sitk.Image:
        """The label map without any text of the file that it was read from."""
        return image_like(self.voxels_zyx, self.label_map)


def of_model(which: str, model: str) -> str:
    """Who made a label map, in files' own words: which of the run's label maps it is, and its model's checksum."""
    return f"{which}, model {model[:SHORT]}"


def with_checksum(note: str, checksum: str) -> str:
    """A note as it stands in a file's description."""
    return f"{note} {checksum}"


def rgb_of(organ: Organ) -> tuple[float, float, float]:
    """An organ's red, green and blue, from 0 to 1."""
    red, green, blue = (int(organ.colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def codes_of(organ: Organ) -> list[tuple[str, str]]:
    """The organ's code in SNOMED CT with its meaning, behind it that of its side; none for an organ without a code."""
    code, _, side = organ.snomed.partition(" ")
    name = organ.name.replace("_", " ")
    if not side:
        return [(code, name)] if code else []
    without_side = " ".join(re.sub(r"\b(left|right)\b", "", name, flags=re.IGNORECASE).split())
    return [(code, without_side or name), (side, SIDES[side])]
