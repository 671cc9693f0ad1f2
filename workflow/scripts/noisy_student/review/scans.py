"""A pseudo-labelled scan as the list sees it: its scores' files, and the grid on which its network was sure or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from noisy_student.geometry import voxel_volume_ml
from noisy_student.images import read_image
from noisy_student.model.label_files import LabelFiles
from noisy_student.model.soft_labels import read_soft_labels
from noisy_student.model.voxel_confidence import PERCENT, UNDECIDED, mask_on_scan, nearest_on_grid, read_confidence
from noisy_student.organs import Organ
from noisy_student.plan.preprocessing import read_properties
from noisy_student.report.example import Panel
from noisy_student.report.examples import labels_on_grid_of
from noisy_student.review import doubt
from noisy_student.review.doubt import OrganDoubt
from noisy_student.review.pictures import doubtful_panels

# What is hatched in pictures: voxels of which the teacher was less sure than this, in per cent.
DOUBTFUL = 70


@dataclass(frozen=True)
class Scan:
    """A row of the case table, with the converted scan, its labels, and what preprocessing made of it.

    Whichever network labelled it, its grid covers the same crop of the scan as that of the preprocessed one. `by_vote`:
    whether several models voted on its labels, so that they disagreed where nothing was decided.
    """

    row: Any
    converted: Path
    files: LabelFiles
    preprocessed: Path
    by_vote: bool = False

    def confidence(self) -> np.ndarray:
        """How sure the teacher was of each voxel of its network's grid (z, y, x), in per cent.

        What it marks with a label that means no organ of the table is no doubt about these: there it was sure.
        """
        found = read_confidence(self.files.confidence)
        if self.by_vote or not self.files.has_undecided():
            return found
        return np.where(found == UNDECIDED, np.uint8(PERCENT), found)

    @property
    def crop(self) -> tuple[slice, ...]:
        """What of the scan the networks' grids cover (z, y, x)."""
        return tuple(slice(low, high) for low, high in read_properties(self.preprocessed)["bbox_used_for_cropping"])

    def voxel_ml(self, grid: np.ndarray) -> float:
        """The volume of a voxel of the network's grid."""
        own_ml = voxel_volume_ml([self.row.spacing_x_mm, self.row.spacing_y_mm, self.row.spacing_z_mm])
        return float(own_ml * np.prod([part.stop - part.start for part in self.crop]) / grid.size)


@dataclass(frozen=True)
class Seen:
    """What is to be looked at in a scan, about how long that takes, and pictures of where most is in doubt."""

    found: list[OrganDoubt]
    minutes: float
    panels: list[list[Panel]]


def in_doubt(scan: Scan) -> float:
    """How many ml of a scan are in doubt."""
    confidence = scan.confidence()
    return doubt.doubt_ml(confidence, scan.voxel_ml(confidence))


def look_at(scan: Scan, organs: Sequence[Organ]) -> Seen:
    """Where a scan's doubt is."""
    image, crop = read_image(scan.converted), scan.crop
    labels = labels_on_grid_of(image, scan.files.label_map)
    confidence = scan.confidence()
    on_grid = nearest_on_grid(labels[crop], confidence.shape)
    soft = read_soft_labels(scan.files.soft_labels) if scan.files.has_soft_labels() else None
    ml = doubt.by_organ(confidence, on_grid, soft, organs, scan.voxel_ml(confidence))
    volumes = scan.files.volumes_ml()
    of_organs = [volumes.get(organ.name, 0.0) for organ in organs]
    found = doubt.needing_eyes(ml, of_organs, organs, range(crop[0].start, crop[0].stop), soft is not None)
    hidden = mask_on_scan(confidence < DOUBTFUL, crop, labels.shape)
    panels = doubtful_panels(scan.row.case, image, labels, hidden, organs)
    return Seen(found, doubt.minutes(found, image.GetSpacing()[2]), panels)
