"""NIfTI files, read to their last byte, once.

What nifti1.h and nifti2.h (https://nifti.nimh.nih.gov) say is kept where usual readers guess: missing voxels become
zeros, NaN becomes 0, a slope of 0 comes with an intercept, an sform whose code is not 1 gives way to the qform.
Where SimpleITK places a file as its header says, its numbers are taken to the last digit.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import SimpleITK as sitk
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from noisy_student.errors import InputError
from noisy_student.geometry import CANONICAL_ORIENTATION, Geometry, image_on, orientation, reorient
from noisy_student.reading.nifti_labels import label_names
from noisy_student.reading.nifti_place import Place, place_of
from noisy_student.reading.problems import ONE_VOLUME, unreadable
from noisy_student.reading.volume import Remark, Volume

GZIP = b"\x1f\x8b"
HEADERS = {348: Nifti1Header, 540: Nifti2Header}
CHUNK_BYTES = 1 << 20
# No stream of zlib holds more than this times its own length.
MOST_COMPRESSED = 1040
# As a share of a voxel: what only rounding of float32 leaves between two readers of one header.
EQUAL_SHARE = 0.01
Header = Nifti1Header | Nifti2Header


def is_nifti(start: bytes) -> bool:
    """Whether a file that starts so (or its content, once unpacked) is NIfTI."""
    sizes = {int.from_bytes(start[:4], order) for order in ("little", "big")} if len(start) >= 4 else set()
    return bool(sizes & set(HEADERS))


def read(path: Path) -> Volume:
    """Read a file. Raises InputError unless it is one whole volume that its header places."""
    with unpacked(path) as stream:
        header, place = _header_and_place(path, stream)
        extension = _extension(stream, header)
        voxels = _scaled(_voxels(path, stream, header), header)
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
        _extension(stream, header)
        _voxels(path, stream, header)


def _header_and_place(path: Path, stream: BinaryIO) -> tuple[Header, Place]:
    header = read_header(path, stream)
    _shape(path, header)
    return header, place_of(path, header)


@contextmanager
def unpacked(path: Path) -> Iterator[BinaryIO]:
    """The content, whatever the name says of compression; damage of the compressed stream is an InputError."""
    try:
        with path.open("rb") as stream:
            is_packed = stream.read(2) == GZIP
        with gzip.open(path) if is_packed else path.open("rb") as stream:
            yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise unreadable(path, f"the compressed file is damaged: {error}") from error
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error


def read_header(path: Path, stream: BinaryIO) -> Header:
    """The header, in the byte order in which its first number is its own size."""
    start = stream.read(4)
    for order, code in (("little", "<"), ("big", ">")):
        size = int.from_bytes(start, order)
        if size in HEADERS and len(start) == 4:
            block = start + stream.read(size - 4)
            if len(block) == size:
                return HEADERS[size](block, endianness=code, check=False)
    raise unreadable(path, "no NIfTI header")


def _extension(stream: BinaryIO, header: Header) -> bytes:
    """What lies between header and voxels."""
    size = int(header["sizeof_hdr"])
    start = float(header["vox_offset"])
    start = int(start) if np.isfinite(start) and start >= size else size + 4
    return stream.read(start - size)


def _voxels(path: Path, stream: BinaryIO, header: Header) -> np.ndarray:
    """The stored values (z, y, x), all of them, in this machine's byte order."""
    dtype, shape = _type(path, header), _shape(path, header)
    missing = int(np.prod([*shape, dtype.itemsize], dtype=object)) - MOST_COMPRESSED * path.stat().st_size
    if missing > 0:
        raise unreadable(path, f"{missing} bytes are missing at the end")
    array = np.empty(shape[::-1], dtype)
    flat = array.reshape(-1).view(np.uint8)
    read = 0
    while read < flat.nbytes and (count := stream.readinto(flat[read : read + CHUNK_BYTES])):
        read += count
    if read < flat.nbytes:
        raise unreadable(path, f"{flat.nbytes - read} bytes are missing at the end")
    while stream.read(CHUNK_BYTES):
        # To the end of the file, since a compressed one has its checksum there.
        pass
    array = array if dtype.isnative else array.byteswap(inplace=True).view(dtype.newbyteorder())
    if dtype.kind == "f" and not all(np.isfinite(slice_yx).all() for slice_yx in array):
        raise unreadable(path, "voxels that are no numbers (NaN or infinite)", "export the scan again")
    return array


def _type(path: Path, header: Header) -> np.dtype:
    try:
        dtype = header.get_data_dtype()
    except Exception as error:
        raise unreadable(path, f"voxels of an unknown type (datatype {int(header['datatype'])})") from error
    if dtype.kind in "iuf" and dtype.itemsize <= 8:
        return dtype
    kind = {"c": "complex numbers", "V": f"{len(dtype.names or 'x')} value(s) per voxel"}.get(dtype.kind, str(dtype))
    remedy = "export one series as one volume; of several channels or time steps, one channel a file"
    raise InputError(f"{ONE_VOLUME} in {path}", kind, remedy)


def _shape(path: Path, header: Header) -> tuple[int, ...]:
    """Size in voxels (x, y, z); further dimensions of one are none."""
    rank = int(header["dim"][0])
    shape = [int(size) for size in header["dim"][1 : 1 + max(0, min(7, rank))]]
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) == 3 and min(shape) > 0:
        return tuple(shape)
    remedy = "export one series as one volume; of several channels or time steps, one channel a file"
    raise InputError(f"{ONE_VOLUME} in {path}", f"size {tuple(shape)}", remedy)


def scaling(header: Header) -> tuple[float, float]:
    """Slope and intercept. A slope of 0 or NaN is none, and so is its intercept (nifti1.h)."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    return (slope, intercept) if slope and np.isfinite(slope) else (1.0, 0.0)


def _scaled(stored: np.ndarray, header: Header) -> np.ndarray:
    """Values in the file's own unit; reals, as SimpleITK gives them, where there is a scaling."""
    slope, intercept = scaling(header)
    if (slope, intercept) == (1.0, 0.0):
        return stored
    scaled = np.empty(stored.shape, np.float64 if stored.dtype == np.float64 else np.float32)
    for target, slice_yx in zip(scaled, stored, strict=True):
        target[:] = slice_yx.astype(np.float64) * slope + intercept
    return scaled


def _is_usual(path: Path, header: Header) -> bool:
    """Whether all readers take the header's scaling for the same, and the name says how the content is packed."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    return not _content(path) and bool((slope and np.isfinite(slope)) or not intercept or not np.isfinite(intercept))


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
