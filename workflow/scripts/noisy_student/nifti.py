"""What the usual readers pass over in a NIfTI file: missing ends, damaged compression, voxels that are no numbers.

SimpleITK fills what is missing of a truncated file with zeros, and reads NaN and infinity as 0, without a word.
Offsets and types: nifti1.h and nifti2.h of https://nifti.nimh.nih.gov.
"""

import gzip
import struct
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from noisy_student.files import CHUNK_BYTES

FLOATS = {16: "f4", 64: "f8"}
# Size of the header → (struct's letters, offset) of data type, bits per voxel, dimensions and start of the voxels.
LAYOUTS = {
    348: (("h", 70), ("h", 72), ("8h", 40), ("f", 108)),
    540: (("h", 12), ("h", 14), ("8q", 16), ("q", 168)),
}


@dataclass(frozen=True)
class Voxels:
    """Where a file's voxels begin, how many bytes they are, and their type if that is a floating-point one."""

    start: int
    size_bytes: int
    kind: np.dtype | None


def defect(path: Path) -> str | None:
    """What is wrong with a `.nii` or `.nii.gz` file, read to its end; None if nothing is."""
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as stream:
            voxels = _voxels(stream.read(max(LAYOUTS)))
            return _damaged_voxels(stream, voxels) if voxels else "no NIfTI header"
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return f"the compressed file is damaged: {error}"


def _voxels(header: bytes) -> Voxels | None:
    for order in "<>":
        try:
            size = struct.unpack_from(f"{order}i", header)[0]
            fields = [struct.unpack_from(order + letters, header, at) for letters, at in LAYOUTS[size]]
            (code,), (bits,), (rank, *sizes), (start,) = fields
            kind = np.dtype(order + FLOATS[code]) if code in FLOATS else None
            return Voxels(max(size, int(start)), prod(sizes[: max(0, rank)]) * bits // 8, kind)
        except (struct.error, KeyError, ValueError, OverflowError):
            continue
    return None


def _damaged_voxels(stream: BinaryIO, voxels: Voxels) -> str | None:
    stream.seek(voxels.start)
    read = 0
    while chunk := stream.read(CHUNK_BYTES):
        read += len(chunk)
        if voxels.kind:
            whole = len(chunk) // voxels.kind.itemsize * voxels.kind.itemsize
            if not np.isfinite(np.frombuffer(chunk[:whole], voxels.kind)).all():
                return "voxels that are no numbers (NaN or infinite)"
    return f"{voxels.size_bytes - read} bytes are missing at the end" if read < voxels.size_bytes else None
