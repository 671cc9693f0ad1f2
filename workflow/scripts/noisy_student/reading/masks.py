"""A folder with a file for each organ, named after it, as TotalSegmentator and AbdomenAtlas give a case.

`<case>/segmentations/liver.nii.gz`, or `<case>/liver.nii.gz`; voxels are 0 and 1, or 0 and 255 (dcmrtstruct2nii). Empty
ones are there, too, and masks may overlap. What all names have besides, as `mask_liver.nii.gz`, is cut off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from noisy_student.errors import InputError
from noisy_student.geometry import turned_like
from noisy_student.reading.by_content import read_file
from noisy_student.reading.canvas import lay
from noisy_student.reading.labels import whole_labels
from noisy_student.reading.mask_names import Called, called
from noisy_student.reading.names import is_named_as_image, stem_of
from noisy_student.reading.segments import Rank, Segment, roll_of
from noisy_student.reading.volume import Remark, Volume

FOLDER = "segmentations"
# What the scan is called that lies beside its masks.
SCANS = ("ct", "image")
INSIDE = (1, 255)


def files_in(folder: Path) -> list[Path]:
    """The masks of a case's folder, by name; none if it holds none."""
    within = folder / FOLDER if (folder / FOLDER).is_dir() else folder
    files = [path for path in sorted(within.iterdir()) if path.is_file() and is_named_as_image(path)]
    return [path for path in files if stem_of(path).lower() not in SCANS]


def names_in(folder: Path) -> dict[Path, str]:
    """The same, each with the name of its file without extension."""
    return {path: stem_of(path) for path in files_in(folder)}


def read(folder: Path, masks: Mapping[Path, str], scan: Volume | None, rank: Rank | None) -> Volume:
    """One label map of a case's masks, file → name, on the grid of their scan, or else of the first.

    Raises InputError for a mask on another grid, or one of more values.
    """
    found = as_organs(list(masks.values()), rank) if rank else Called(list(masks.values()))
    segments = [Segment(path, path.name, (name,)) for path, name in zip(masks, found.names, strict=True)]
    roll = roll_of(folder, segments, rank)
    first = next(iter(masks))
    scan = scan or whole_labels(first, read_file(first))
    labels_zyx, overlaps, said = np.zeros(scan.geometry.size_xyz[::-1], roll.kind), 0, {}
    for path, number in roll.numbers.items():
        volume = whole_labels(path, read_file(path))
        overlaps += lay(labels_zyx, _inside(path, volume, scan), number)
        for remark in volume.remarks:
            said.setdefault(remark, []).append(path.name)
    roll.remarks += [_of_files(remark, names) for remark, names in said.items()]
    return replace(roll.volume(labels_zyx, scan, overlaps), cut=found.cut)


def as_organs(names: Sequence[str], rank: Rank) -> Called:
    """The names of a case's masks without what all have besides an organ's."""
    return called(names, lambda name: rank(name) is not None)


def _inside(path: Path, volume: Volume, scan: Volume) -> np.ndarray:
    """Where a mask is, on the scan's grid (z, y, x)."""
    image = turned_like(volume.image, scan.geometry)
    if differences := scan.geometry.differences(replace(volume, image=image).geometry):
        remedy = (
            "give the masks of this scan; one that was drawn on its voxels and lost its header needs the scan's "
            "(SimpleITK: mask.CopyInformation(scan)), one of another grid has to be resampled (nearest neighbour)"
        )
        raise InputError(f"{path} on the grid of its scan", "; ".join(differences), remedy)
    voxels = sitk.GetArrayFromImage(image)
    largest = voxels.max()
    inside = voxels != 0
    if largest not in (0, *INSIDE) or np.count_nonzero(inside) != np.count_nonzero(voxels == largest) * bool(largest):
        raise _no_mask(path, voxels)
    return inside


def _no_mask(path: Path, voxels: np.ndarray) -> InputError:
    values = np.unique(voxels)
    found = ", ".join(map(str, values[:5])) + (f", … {values[-1]}" if len(values) > 5 else "")
    remedy = "take it out of the folder if it is no mask of one organ; name a label map of several organs as a file"
    if len(inside := values[values != 0]) == 1 and inside[0] > 0:
        remedy = (
            f"if {inside[0]} is the organ, make it 1 in all masks of the folder (SimpleITK: mask > 0); if the file is "
            "a label map, of whose organs this is one, take it out of the folder and name it as a file"
        )
    return InputError(f"a mask of 0 and 1, or 0 and 255, in {path}", f"the values {found}", remedy)


def _of_files(remark: Remark, names: Sequence[str]) -> Remark:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return replace(remark, found=f"{names[0]}{more}: {remark.found}")
