"""NIfTI files, read to their last byte, once.

What nifti1.h and nifti2.h (https://nifti.nimh.nih.gov) say is kept where usual readers guess: missing voxels become
zeros, NaN becomes 0, a slope of 0 comes with an intercept, an sform whose code is not 1 gives way to the qform.
Where SimpleITK places a file as its header says, its numbers are taken to the last digit.
"""

from pathlib import Path
from typing import BinaryIO

import numpy as np
import SimpleITK as sitk

from noisy_student.geometry import CANONICAL_ORIENTATION, Geometry, image_on, orientation, reorient
from noisy_student.reading.nifti_file import (
    GZIP,
    Header,
    read_extension,
    read_header,
    read_voxels,
    scaled,
    scaling,
    shape_of,
    unpacked,
)
from noisy_student.reading.nifti_labels import label_names
from noisy_student.reading.nifti_place import Place, place_of
from noisy_student.reading.volume import Remark, Volume

# As a share of a voxel: what only rounding of float32 leaves between two readers of one header.
EQUAL_SHARE = 0.01


def read(path: Path) -> Volume:
    """Read a file. Raises InputError unless it is one whole volume that its header places."""
    with unpacked(path) as stream:
        header, place = _header_and_place(path, stream)
        extension = read_extension(stream, header)
        voxels = scaled(read_voxels(path, stream, header), header)
    theirs = _as_simpleitk_places_it(path, place.geometry)
    image = image_on(voxels, theirs or place.geometry)
    del voxels
    slope, intercept = scaling(header)
    return Volume(
        reorient(image, CANONICAL_ORIENTATION), orientation(image.GetDirection()),
        (*place.remarks, *_content(path)), bool(theirs) and _is_usual(path, header), names=label_names(extension),
        scaling="" if (slope, intercept) == (1.0, 0.0) else f"slope {slope:.6g}, intercept {intercept:.6g}",
    )  # fmt: skip


def plain_orientation(path: Path) -> str | None:
    """The letters of the file's axes if SimpleITK reads it as this module does, by its header; otherwise None."""
    with unpacked(path) as stream:
        header, place = _header_and_place(path, stream)
    theirs = _as_simpleitk_places_it(path, place.geometry)
    return orientation(theirs.direction) if theirs and _is_usual(path, header) else None


def require_whole_nifti(path: Path) -> None:
    """Raise InputError unless a NIfTI file can be read to its end and its header is sound."""
    with unpacked(path) as stream:
        header, _ = _header_and_place(path, stream)
        read_extension(stream, header)
        read_voxels(path, stream, header)


def _header_and_place(path: Path, stream: BinaryIO) -> tuple[Header, Place]:
    header = read_header(path, stream)
    shape_of(path, header)
    return header, place_of(path, header)


def _is_usual(path: Path, header: Header) -> bool:
    """Whether all readers take the header's scaling and the voxels' beginning for the same, and the name is right."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    is_scaled_alike = bool((slope and np.isfinite(slope)) or not intercept or not np.isfinite(intercept))
    return is_scaled_alike and float(header["vox_offset"]) > int(header["sizeof_hdr"]) and not _content(path)


def _as_simpleitk_places_it(path: Path, place: Geometry) -> Geometry | None:
    """The grid to the last digit as SimpleITK has it, if that is the same place."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO("NiftiImageIO")
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return None
    geometry = Geometry.of(reader)
    agrees = geometry.size_xyz == place.size_xyz and min(geometry.spacing_mm_xyz) > 0
    agrees = agrees and geometry.offset(place) < EQUAL_SHARE
    return geometry if agrees else None


def _content(path: Path) -> tuple[Remark, ...]:
    """A remark about a file whose name says other than its content whether it is compressed."""
    with path.open("rb") as stream:
        is_packed = stream.read(2) == GZIP
    if is_packed == path.name.lower().endswith(".gz"):
        return ()
    state = "compressed, though its name does not say so" if is_packed else "not compressed, though its name says so"
    remedy = "rename it: other programs may not read it"
    return (Remark("content", state, "a name that fits the content", remedy),)
