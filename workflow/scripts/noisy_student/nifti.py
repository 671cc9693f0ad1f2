"""What the usual readers pass over in a NIfTI file, without a word.

SimpleITK fills what is missing of a truncated file with zeros, reads NaN and infinity as 0, takes 1 mm for a spacing of
0, drops an infinite scaling, and chooses one where the header's two orientations disagree.
Fields: nifti1.h and nifti2.h of https://nifti.nimh.nih.gov.
"""

import gzip
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from noisy_student.files import CHUNK_BYTES

FIELDS = (
    *("dim", "datatype", "bitpix", "pixdim", "vox_offset", "scl_slope", "scl_inter"),
    *("qform_code", "sform_code", "quatern", "qoffset", "srow"),
)
NIFTI1 = (
    ("8i2", "i2", "i2", "8f4", "f4", "f4", "f4", "i2", "i2", "3f4", "3f4", "(3,4)f4"),
    (40, 70, 72, 76, 108, 112, 116, 252, 254, 256, 268, 280),
)
NIFTI2 = (
    ("8i8", "i2", "i2", "8f8", "i8", "f8", "f8", "i4", "i4", "3f8", "3f8", "(3,4)f8"),
    (16, 12, 14, 104, 168, 176, 184, 344, 348, 352, 376, 400),
)
LAYOUTS = {348: NIFTI1, 540: NIFTI2}
FLOATS = {16: "f4", 64: "f8"}
SPACING_TOLERANCE, SHEAR_TOLERANCE, ORIENTATION_TOLERANCE = 0.01, 0.01, 0.1


def defect(path: Path) -> str | None:
    """What is wrong with a `.nii` or `.nii.gz` file, read to its end; None if nothing is."""
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as stream:
            header = _header(stream.read(max(LAYOUTS)))
            if header is None:
                return "no NIfTI header"
            return _defect_of_header(header) or _defect_of_voxels(stream, header)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return f"the compressed file is damaged: {error}"


def _header(content: bytes) -> np.void | None:
    """The header's fields, in the byte order in which its first number is its own size."""
    for order in "<>":
        size = int(np.frombuffer(content[:4], f"{order}i4")[0]) if len(content) >= 4 else 0
        if size in LAYOUTS and len(content) >= size:
            formats, offsets = LAYOUTS[size]
            fields = {"names": FIELDS, "formats": formats, "offsets": offsets, "itemsize": size}
            return np.frombuffer(content, np.dtype(fields).newbyteorder(order), count=1)[0]
    return None


def _defect_of_header(header: np.void) -> str | None:
    spacing, forms = header["pixdim"][1:4], {"qform": ("quatern", "qoffset"), "sform": ("srow",)}
    slope, intercept = header["scl_slope"], header["scl_inter"]
    # By convention a slope of 0 or NaN is none.
    if np.isinf(slope) or (slope and np.isfinite(slope) and not np.isfinite(intercept)):
        return f"a scaling with slope {slope:g} and intercept {intercept:g}"
    if header["dim"][0] < 3:
        return None
    if not np.isfinite(spacing).all() or not spacing.all():
        return f"a spacing of {_short(spacing)}"
    for form, fields in forms.items():
        if header[f"{form}_code"] > 0 and not all(np.isfinite(header[field]).all() for field in fields):
            return f"an orientation ({form}) that is no number"
    return _defect_of_sform(header, np.abs(spacing)) if header["sform_code"] > 0 else None


def _defect_of_sform(header: np.void, spacing: np.ndarray) -> str | None:
    axes = header["srow"][:, :3].astype(float)
    lengths = np.linalg.norm(axes, axis=0)
    if not np.allclose(lengths, spacing, rtol=SPACING_TOLERANCE):
        return f"two spacings, {_short(spacing)} (pixdim) and {_short(lengths)} (sform)"
    axes /= lengths
    if not np.allclose(axes.T @ axes, np.eye(3), atol=SHEAR_TOLERANCE):
        return "axes that are not perpendicular (sform)"
    if header["qform_code"] > 0 and not np.allclose(axes, _qform_axes(header), atol=ORIENTATION_TOLERANCE):
        return "two orientations: qform and sform disagree"
    return None


def _qform_axes(header: np.void) -> np.ndarray:
    """Direction cosines of the qform, one column for each axis of the grid (nifti1.h, method 2)."""
    b, c, d = header["quatern"].astype(float)
    a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    axes = np.array([
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ])  # fmt: skip
    return axes * [1, 1, -1 if header["pixdim"][0] < 0 else 1]


def _defect_of_voxels(stream: BinaryIO, header: np.void) -> str | None:
    code, rank, start = int(header["datatype"]), int(header["dim"][0]), float(header["vox_offset"])
    kind = np.dtype(FLOATS[code]).newbyteorder(header.dtype["vox_offset"].byteorder) if code in FLOATS else None
    expected = prod(header["dim"][1 : 1 + max(0, min(7, rank))].tolist()) * int(header["bitpix"]) // 8
    stream.seek(int(max(start, header.dtype.itemsize)) if np.isfinite(start) else header.dtype.itemsize)
    read = 0
    while chunk := stream.read(CHUNK_BYTES):
        read += len(chunk)
        if kind and not np.isfinite(np.frombuffer(chunk[: len(chunk) // kind.itemsize * kind.itemsize], kind)).all():
            return "voxels that are no numbers (NaN or infinite)"
    return f"{expected - read} bytes are missing at the end" if read < expected else None


def _short(numbers: np.ndarray) -> str:
    return " × ".join(f"{number:.4g}" for number in numbers) + " mm"
