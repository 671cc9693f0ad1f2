"""A folder with a file for each organ, named after it, as TotalSegmentator and AbdomenAtlas give a case.

`<case>/segmentations/liver.nii.gz`, or `<case>/liver.nii.gz`; voxels are 0 and 1, or 0 and 255 (dcmrtstruct2nii). Empty
ones are there, too, and masks may overlap. What all names have besides, as `mask_liver.nii.gz`, is cut off. 3D-IRCADb
has a folder of DICOM slices for each: `<case>/liver/image_0`.
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
from noisy_student.reading.dicom import series
from noisy_student.reading.dicom.files import is_dicom, pattern_of, visible_files
from noisy_student.reading.dicom.gaps import LOST
from noisy_student.reading.dicom.objects import kind_of
from noisy_student.reading.labels import whole_labels
from noisy_student.reading.mask_names import Called, called
from noisy_student.reading.names import is_named_as_image, stem_of
from noisy_student.reading.other_grid import grid_differences, grid_remedy
from noisy_student.reading.segments import Rank, Segment, roll_of
from noisy_student.reading.volume import Remark, Volume

# What a folder of masks is called within its case's folder.
MASKS = "segmentations"
# What the scan is called that lies beside its masks.
SCANS = ("ct", "image")
INSIDE = (1, 255)


def masks_in(folder: Path) -> list[Path]:
    """The masks of a case's folder, by name: files or, if there are none, folders of DICOM slices; none of neither."""
    return files_in(folder) or _folders_of_slices(within(folder))


def files_in(folder: Path) -> list[Path]:
    """The masks of a case's folder that are files, by name."""
    files = [path for path in sorted(within(folder).iterdir()) if path.is_file() and is_named_as_image(path)]
    return [path for path in files if stem_of(path).lower() not in SCANS]


def names_in(folder: Path) -> dict[Path, str]:
    """The masks of a case's folder, each with its name without extension."""
    return {path: stem_of(path) for path in masks_in(folder)}


def within(folder: Path) -> Path:
    """The folder of masks of a case's folder, which may be that folder itself."""
    return folder / MASKS if (folder / MASKS).is_dir() else folder


def _folders_of_slices(folder: Path) -> list[Path]:
    """The folders in a folder that DICOM images lie in; none where a segmentation or structure set is among them.

    Of files that are named alike in one folder, one tells for all.
    """
    alike = {pattern_of(path): path for path in visible_files(folder)}
    found = [path for path in alike.values() if is_dicom(path)]
    return [] if any(map(kind_of, found)) else sorted({path.parent for path in found if path.parent.parent == folder})


def read(folder: Path, masks: Mapping[Path, str], scan: Volume | None, rank: Rank | None) -> Volume:
    """One label map of masks, file or folder of slices → name, on the grid of their scan, or else of the first one.

    Raises InputError for a mask on another grid, or one of more values.
    """
    called_so = as_organs(list(masks.values()), rank) if rank else Called(list(masks.values()))
    segments = [Segment(path, path.name, (name,)) for path, name in zip(masks, called_so.names, strict=True)]
    roll = roll_of(folder, segments, rank)
    first = next(iter(masks))
    stored = None if scan else _volume(first)
    scan = scan or stored
    labels_zyx, overlaps, said = np.zeros(scan.geometry.size_xyz[::-1], roll.kind), 0, {}
    for path, number in roll.numbers.items():
        inside, remarks = _inside(path, stored if stored and path == first else _volume(path), scan)
        overlaps += lay(labels_zyx, inside, number)
        for remark in remarks:
            said.setdefault(remark, []).append(path.name)
    roll.remarks += [_of_files(remark, names) for remark, names in said.items()]
    return replace(roll.volume(labels_zyx, scan, overlaps), cut=called_so.cut)


def as_organs(names: Sequence[str], rank: Rank) -> Called:
    """The names of a case's masks without what all have besides an organ's."""
    return called(names, lambda name: rank(name) is not None)


def _volume(path: Path) -> Volume:
    """A mask as it is stored."""
    if not path.is_dir():
        return whole_labels(path, read_file(path))
    try:
        return series.read_mask(path)
    except InputError as error:
        # Labels are not to be interpolated, as lost slices of a scan may be.
        restore = error.remedy.partition(LOST)[0]
        remedy = f"{restore}; or give the mask as a file on its scan's grid, such as {path.name}.nii.gz"
        raise InputError(f"a mask in {path}, each of its slices once and with its place", error.got, remedy) from error


def _inside(path: Path, volume: Volume, scan: Volume) -> tuple[np.ndarray, Sequence[Remark]]:
    """Where a mask is, on the scan's grid (z, y, x), and the remarks on it."""
    image = turned_like(volume.image, scan.geometry)
    if differences := grid_differences(volume, image, scan):
        remedy = f"give the masks of this scan; {grid_remedy(volume, scan, 'mask')}"
        raise InputError(f"{path} on the grid of its scan", "; ".join(differences), remedy)
    voxels = sitk.GetArrayViewFromImage(image)
    largest = voxels.max()
    inside = voxels != 0
    if largest not in (0, *INSIDE) or np.count_nonzero(inside) != np.count_nonzero(voxels == largest) * bool(largest):
        raise _no_mask(path, voxels)
    return inside, volume.remarks


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
