"""Label maps to be judged whose organs have names: masks, 3D Slicer's segments, DICOM segmentations, structure sets.

They get the label table's numbers; one that is drawn on a scan is read onto the grid of the label map that it is judged
with.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.errors import InputError
from noisy_student.geometry import image_like
from noisy_student.reading import masks, nrrd_layers
from noisy_student.reading.dicom.objects import kind_of
from noisy_student.reading.door import read_label_map
from noisy_student.reading.segments import Rank
from noisy_student.reading.volume import Volume

# What tells a label map's place, the surest first: its own grid, that of its masks, one that may be cut, only a scan.
FILE, MASKS, LAYERS, DRAWN = range(4)


def read_both(truth: Path, prediction: Path, rank: Rank | None) -> list[Volume]:
    """Truth and prediction; the one that may need a grid on that of the other one.

    Raises InputError where both are drawn on a scan.
    """
    first, second = sorted((truth, prediction), key=_place)
    volumes = {first: read_one(first, rank)}
    volumes[second] = read_one(second, rank, volumes[first])
    return [volumes[truth], volumes[prediction]]


def read_one(path: Path, rank: Rank | None, other: Volume | None = None) -> Volume:
    """A label map, on the grid of the other one where it has none of its own."""
    volume = read_label_map(path, other, rank)
    return _ranked(path, volume, rank) if rank and _place(path) == LAYERS and not volume.is_by_name else volume


def has_own_grid(path: Path) -> bool:
    """Whether a label map can be read without its scan."""
    return _place(path) in (FILE, MASKS)


def _place(path: Path) -> int:
    if path.is_dir():
        return MASKS if masks.files_in(path) else DRAWN
    if kind_of(path):
        return DRAWN
    return LAYERS if nrrd_layers.is_segmentation(path) else FILE


def _ranked(path: Path, volume: Volume, rank: Rank) -> Volume:
    """3D Slicer's segments of one layer, whose numbers are their order, with the label table's by their names."""
    ranks = {number: label for number, name in volume.names.items() if (label := rank(name)) is not None}
    if not ranks:
        found = ", ".join(volume.names.values()) or "none"
        remedy = "rename the segments, or give the organs these names as `aliases` in the label table (--organs)"
        raise InputError(f"names of organs in {path}", found, remedy)
    return replace(volume, image=_renumbered(volume.image, list(ranks), list(ranks.values())))


def _renumbered(image: sitk.Image, numbers: Sequence[int], labels: Sequence[int]) -> sitk.Image:
    voxels = sitk.GetArrayViewFromImage(image)
    table = np.zeros(max(int(voxels.max()), *numbers) + 1, np.uint8)
    table[list(numbers)] = labels
    return image_like(table[voxels], image)
