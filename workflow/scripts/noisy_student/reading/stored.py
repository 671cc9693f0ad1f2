"""Voxels as they lie behind a header: in one file or cut into several, packed or not, read to their end.

A packed stream has its checksum there: SimpleITK never looks at that of an MHA.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noisy_student.errors import InputError
from noisy_student.reading.problems import ONE_VOLUME, unreadable

CHUNK_BYTES = 1 << 16
ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
# No stream of zlib holds more than this times its own length.
MOST_COMPRESSED = 1040
# Of a header whose pattern of names does not end.
MOST_FILES = 10_000


@dataclass(frozen=True)
class Stored:
    """Where a header says that its voxels lie, each file holding an equal share of them.

    In each file `start` bytes and then `lines` lines stand before what may be packed, and in what it unpacks to `skip`
    bytes before the voxels. A negative `skip` counts from the end, as NRRD does: -1 says that nothing follows them.
    """

    files: tuple[Path, ...]
    start: int = 0
    lines: int = 0
    skip: int = 0
    is_packed: bool = False
    is_big_endian: bool = False


def require_files(path: Path, files: tuple[Path, ...]) -> None:
    """Raise InputError unless a header names files and all are there."""
    if (missing := [file.name for file in files if not file.is_file()]) or not files:
        wanted = f"the voxels of {path} in the file(s) that its header names"
        remedy = "put them beside the header under that name, or export the image again as one file (.nii.gz)"
        raise InputError(wanted, f"no such file: {', '.join(missing[:3])}" if missing else "no names", remedy)


def read_voxels(path: Path, stored: Stored, shape_zyx: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """All voxels, in this machine's byte order. Raises InputError unless there are as many, with their checksum."""
    there = np.dtype(dtype).newbyteorder(">" if stored.is_big_endian else "<")
    _require_room(path, stored, int(np.prod([*shape_zyx, there.itemsize], dtype=object)))
    array = np.empty(shape_zyx, there)
    shares = np.split(array.reshape(-1).view(np.uint8), len(stored.files))
    for file, share in zip(stored.files, shares, strict=True):
        _fill(path, stored, file, share)
    return array if there.isnative else array.byteswap(inplace=True).view(there.newbyteorder())


def _require_room(path: Path, stored: Stored, size: int) -> None:
    """Refuse a size that the files cannot hold before memory is taken for it."""
    if size % len(stored.files):
        found = f"{size} bytes of voxels in {len(stored.files)} files"
        raise InputError(f"{ONE_VOLUME} in {path}", found, "export the image again as one file (.nii.gz)")
    held = sum(file.stat().st_size for file in stored.files) * (MOST_COMPRESSED if stored.is_packed else 1)
    if held < size:
        raise unreadable(path, f"{size - held} bytes are missing at the end")


def _fill(path: Path, stored: Stored, file: Path, share: np.ndarray) -> None:
    """Read a file's share of the voxels, and to its end."""
    try:
        skip = stored.skip
        if skip < 0:
            skip += sum(map(len, _content(stored, file))) - share.nbytes + 1
        at = -skip
        for chunk in _content(stored, file):
            piece = np.frombuffer(chunk, np.uint8)[max(0, -at) :][: max(0, share.nbytes - max(0, at))]
            share[max(0, at) : max(0, at) + piece.size] = piece
            at += len(chunk)
    except (zlib.error, EOFError) as error:
        raise unreadable(path, f"the compressed voxels{_of(path, file)} are damaged: {error}") from error
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error
    if missing := max(-skip, share.nbytes - at, 0):
        raise unreadable(path, f"{missing} bytes are missing at the end{_of(path, file)}")
    if at > share.nbytes and stored.skip >= 0:
        raise _longer(path, file, at - share.nbytes)


def _content(stored: Stored, file: Path) -> Iterator[bytes]:
    """What a file holds from its start on, unpacked, chunk by chunk."""
    with file.open("rb") as stream:
        stream.seek(stored.start)
        for _ in range(stored.lines):
            stream.readline()
        chunks = iter(lambda: stream.read(CHUNK_BYTES), b"")
        yield from _unpacked(chunks) if stored.is_packed else chunks


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """One zlib stream, or the members of a gzip file, zeros after which are padding. Raises EOFError or zlib.error."""
    inflate = zlib.decompressobj(ZLIB_OR_GZIP)
    for chunk in chunks:
        rest = chunk
        while rest := rest.lstrip(b"\0") if inflate.eof else rest:
            if inflate.eof:
                inflate = zlib.decompressobj(ZLIB_OR_GZIP)
            yield inflate.decompress(rest)
            rest = inflate.unused_data
    if not inflate.eof:
        raise EOFError("they end before their end mark")


def _of(path: Path, file: Path) -> str:
    return "" if file == path else f" of {file.name}"


def _longer(path: Path, file: Path, behind: int) -> InputError:
    remedy = (
        "correct the sizes in its header, or, where something stands before the voxels, its HeaderSize (MHD) or `byte "
        "skip` (NHDR): -1 takes the end of the file; else export it again"
    )
    return InputError(f"as many voxels in {path} as its header says", f"{behind} bytes more{_of(path, file)}", remedy)
