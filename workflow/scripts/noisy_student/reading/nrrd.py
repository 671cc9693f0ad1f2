"""NRRD files: one file, or a header (NHDR) with its voxels beside it.

SimpleITK reads the header; the voxels are read here, with their checksum.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from noisy_student.geometry import Geometry, image_on
from noisy_student.reading.itk import grid_and_type, volume_of, voxels_as_text
from noisy_student.reading.nrrd_header import TEXT, Header, files_of, read_header, stored_of
from noisy_student.reading.nrrd_segments import layers_of, segment_names
from noisy_student.reading.problems import no_orientation
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


def read(path: Path) -> Volume:
    """Read a file. Raises InputError unless it is one whole volume."""
    header = read_header(path)
    files = data_files(path)
    require_files(path, files)
    geometry, dtype = grid_and_type(path, IMAGE_IO)
    voxels = _voxels(path, header, files, geometry.size_xyz[::-1], dtype)
    volume = volume_of(path, image_on(voxels, _turned(geometry, header)), _orientation(header))
    return replace(volume, names=segment_names(header))


def read_layers(path: Path) -> tuple[np.ndarray, Geometry, list[Remark]]:
    """The layers of a segmentation (z, y, x, layer), their grid, and remarks."""
    header, files = read_header(path), data_files(path)
    require_files(path, files)
    layers = layers_of(header)
    geometry, dtype = grid_and_type(path, IMAGE_IO, layers)
    voxels = _voxels(path, header, files, (*geometry.size_xyz[::-1], layers), dtype)
    return voxels, _turned(geometry, header), list(_orientation(header))


def _voxels(path: Path, header: Header, files: tuple[Path, ...], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if header.encoding in TEXT:
        return voxels_as_text(path, IMAGE_IO, shape)
    return read_voxels(path, stored_of(path, header, files), shape, dtype)


def data_files(path: Path) -> tuple[Path, ...]:
    """The files that hold the voxels, in order; the header's own, if they follow it."""
    return files_of(path, read_header(path))


def _turned(geometry: Geometry, header: Header) -> Geometry:
    signs = np.array(WITH_TIME.get(header.fields.get("space", "").lower(), (1, 1, 1)))
    axes = (signs[:, None] * geometry.axes).ravel().tolist()
    return replace(geometry, direction=tuple(axes), origin_mm_xyz=tuple((signs * geometry.origin_mm_xyz).tolist()))


def _orientation(header: Header) -> tuple[Remark, ...]:
    space = header.fields.get("space", "")
    if space.lower() not in {**SPACES, **WITH_TIME}:
        return (no_orientation(f"space: {space}, which says nothing of the patient" if space else "no `space`"),)
    is_said = "(" in header.fields.get("spacedirections", "")
    return () if is_said else (no_orientation("no `space directions`"),)
