"""The bytes of a NIfTI file: unpacked by content, header, voxels to the last one, scaling (nifti1.h, nifti2.h)."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from noisy_student.errors import InputError
from noisy_student.reading.problems import CHANNELS, ONE_VOLUME, unreadable
from noisy_student.reading.stored import MOST_COMPRESSED

GZIP = b"\x1f\x8b"
HEADERS = {348: Nifti1Header, 540: Nifti2Header}
CHUNK_BYTES = 1 << 20
Header = Nifti1Header | Nifti2Header


def is_nifti(start: bytes) -> bool:
    """Whether a file that starts so (or its content, once unpacked) is NIfTI."""
    sizes = {int.from_bytes(start[:4], order) for order in ("little", "big")} if len(start) >= 4 else set()
    return bool(sizes & set(HEADERS))


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
                header = HEADERS[size](block, endianness=code, check=False)
                _require_one_file(path, header)
                return header
    if start.startswith(GZIP):
        raise unreadable(path, "compressed twice", "unpack it once: gunzip")
    raise unreadable(path, "no NIfTI header")


def _require_one_file(path: Path, header: Header) -> None:
    if bytes(header["magic"])[:3] in (b"ni1", b"ni2") or path.suffix.lower() == ".hdr":
        remedy = "make one file of both: nibabel.save(nibabel.load('x.hdr'), 'x.nii.gz')"
        raise InputError(f"one NIfTI file, {path}", "the header of a pair of files (.hdr and .img)", remedy)


def read_extension(stream: BinaryIO, header: Header) -> bytes:
    """What lies between header and voxels."""
    size = int(header["sizeof_hdr"])
    start = float(header["vox_offset"])
    start = int(start) if np.isfinite(start) and start >= size else size + 4
    return stream.read(start - size)


def read_voxels(path: Path, stream: BinaryIO, header: Header) -> np.ndarray:
    """The stored values (z, y, x), all of them, in this machine's byte order.

    Raises InputError for a file that ends before them, or goes on for a slice or more; less is padding.
    """
    dtype, shape = _type(path, header), shape_of(path, header)
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
    # To the end of the file, since a compressed one has its checksum there.
    behind = sum(map(len, iter(lambda: stream.read(CHUNK_BYTES), b"")))
    if behind >= array[0].nbytes:
        remedy = "correct the size (`dim`) or the start of the voxels (`vox_offset`) in its header, or export it again"
        raise InputError(f"as many voxels in {path} as its header says", f"{behind} bytes more", remedy)
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
    raise InputError(f"{ONE_VOLUME} in {path}", kind, CHANNELS)


def shape_of(path: Path, header: Header) -> tuple[int, ...]:
    """Size in voxels (x, y, z); further dimensions of one are none."""
    rank = int(header["dim"][0])
    shape = [int(size) for size in header["dim"][1 : 1 + max(0, min(7, rank))]]
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) == 3 and min(shape) > 0:
        return tuple(shape)
    raise InputError(f"{ONE_VOLUME} in {path}", f"size {tuple(shape)}", CHANNELS)


def scaling(header: Header) -> tuple[float, float]:
    """Slope and intercept. A slope of 0 or NaN is none, and so is its intercept (nifti1.h)."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    return (slope, intercept) if slope and np.isfinite(slope) else (1.0, 0.0)


def scaled(stored: np.ndarray, header: Header) -> np.ndarray:
    """Values in the file's own unit; reals, as SimpleITK gives them, where there is a scaling."""
    slope, intercept = scaling(header)
    if (slope, intercept) == (1.0, 0.0):
        return stored
    scaled = np.empty(stored.shape, np.float64 if stored.dtype == np.float64 else np.float32)
    for target, slice_yx in zip(scaled, stored, strict=True):
        target[:] = slice_yx.astype(np.float64) * slope + intercept
    return scaled
