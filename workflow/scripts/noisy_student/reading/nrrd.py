"""NRRD files: one file, or a header (NHDR) with its voxels beside it.

SimpleITK reads the header; the voxels are read here, with their checksum.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from noisy_student.geometry import Geometry, image_on
from noisy_student.reading.itk import grid_and_type, volume_of, voxels_as_text
from noisy_student.reading.nrrd_header import TEXT, Header, files_of, read_header, stored_of
from noisy_student.reading.nrrd_segments import axis_of_layers, segment_names
from noisy_student.reading.problems import no_orientation, unreadable
from noisy_student.reading.stored import read_voxels, require_files
from noisy_student.reading.volume import Remark, Volume

MAGIC = b"NRRD"
IMAGE_IO = "NrrdImageIO"
# Spaces of the patient, with the signs that bring x and y to the left and to the back. Others say nothing of it.
SPACES = {
    **dict.fromkeys(("left-posterior-superior", "lps"), (1, 1, 1)),
    **dict.fromkeys(("right-anterior-superior", "ras"), (-1, -1, 1)),
    **dict.fromkeys(("left-anterior-superior", "las"), (1, -1, 1)),
}
# The same with a fourth axis, which SimpleITK does not turn.
WITH_TIME = {name + ("t" if len(name) == 3 else "-time"): signs for name, signs in SPACES.items()}

QUOTED = re.compile(r'"([^"]*)"')
MILLIMETRES = {
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1.0),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 10.0),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1000.0),
    **dict.fromkeys(("um", "\u00b5m", "\u03bcm", "micron", "microns", "micrometer", "micrometers"), 0.001),
}


def read(path: Path) -> Volume:
    """Read a file. Raises InputError unless it is one whole volume."""
    header = read_header(path)
    files = data_files(path)
    require_files(path, files)
    geometry, dtype = grid_and_type(path, IMAGE_IO)
    voxels = _voxels(path, header, files, geometry.size_xyz[::-1], dtype)
    volume = volume_of(path, image_on(voxels, _placed(path, geometry, header)), _orientation(header))
    return replace(volume, names=segment_names(header))


def read_layers(path: Path) -> tuple[np.ndarray, Geometry, list[Remark]]:
    """The layers of a segmentation (z, y, x, layer), their grid, and remarks."""
    header, files = read_header(path), data_files(path)
    require_files(path, files)
    axis, layers = axis_of_layers(header)
    geometry, dtype = grid_and_type(path, IMAGE_IO, layers)
    # Of a text, SimpleITK brings the layers to the end.
    place = 3 if header.encoding in TEXT else 3 - axis
    shape = list(geometry.size_xyz[::-1])
    shape.insert(place, layers)
    voxels = np.moveaxis(_voxels(path, header, files, tuple(shape), dtype), place, -1)
    return voxels, _placed(path, geometry, header), list(_orientation(header))


def _voxels(path: Path, header: Header, files: tuple[Path, ...], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if header.encoding in TEXT:
        return voxels_as_text(path, IMAGE_IO, shape)
    return read_voxels(path, stored_of(path, header, files), shape, dtype)


def data_files(path: Path) -> tuple[Path, ...]:
    """The files that hold the voxels, in order; the header's own, if they follow it."""
    return files_of(path, read_header(path))


def _placed(path: Path, geometry: Geometry, header: Header) -> Geometry:
    """The grid as SimpleITK has it, in mm and turned to the patient's axes; it passes over the unit and some spaces."""
    scale = _mm(path, header)
    spacing, origin = (tuple(scale * mm for mm in own) for own in (geometry.spacing_mm_xyz, geometry.origin_mm_xyz))
    geometry = replace(geometry, spacing_mm_xyz=spacing, origin_mm_xyz=origin)
    signs = np.array(WITH_TIME.get(header.fields.get("space", "").lower(), (1, 1, 1)))
    axes = (signs[:, None] * geometry.axes).ravel().tolist()
    return replace(geometry, direction=tuple(axes), origin_mm_xyz=tuple((signs * geometry.origin_mm_xyz).tolist()))


def _mm(path: Path, header: Header) -> float:
    """How many mm the unit is in which the header's distances are."""
    field = header.fields.get("spaceunits", "")
    units = {unit.strip().lower() for unit in QUOTED.findall(field)[:3]} - {""}
    if not units:
        return 1.0
    found = {MILLIMETRES.get(unit) for unit in units}
    if len(found) > 1 or None in found:
        raise unreadable(path, f"space units: {field}", 'write "mm" "mm" "mm" there, if that is what it is in')
    return found.pop()


def _orientation(header: Header) -> tuple[Remark, ...]:
    space = header.fields.get("space", "")
    if space.lower() not in {**SPACES, **WITH_TIME}:
        return (no_orientation(f"space: {space}, which says nothing of the patient" if space else "no `space`"),)
    is_said = "(" in header.fields.get("spacedirections", "")
    return () if is_said else (no_orientation("no `space directions`"),)
