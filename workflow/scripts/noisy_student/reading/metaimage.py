"""MetaImage files: MHA, and MHD with its voxels beside it.

Format: https://itk.org/Wiki/ITK/MetaIO/Documentation. SimpleITK reads the header; voxels are read here, since it takes
damaged and missing ones for whole.
"""

from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.geometry import image_on
from noisy_student.reading.itk import grid_and_type, volume_of, voxels_as_text
from noisy_student.reading.problems import no_orientation, number_in, unreadable
from noisy_student.reading.stored import MOST_FILES, Stored, read_voxels, require_files
from noisy_student.reading.volume import Remark, Volume

IMAGE_IO = "MetaImageIO"
LONGEST_LINE, MOST_LINES = 10_000, 1000
ORIENTATIONS = ("TransformMatrix", "Rotation", "Orientation")
# MetaIO's letters say where axes come from, so these are axes along the patient's left, back and head.
ALONG_THE_PATIENT = "RAI"
BIG_ENDIAN = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
SCALING = {"ElementToIntensityFunctionSlope": 1.0, "ElementToIntensityFunctionOffset": 0.0}


def is_metaimage(start: bytes) -> bool:
    """Whether a file that starts so is a MetaImage."""
    return b"NDims" in start[:1000] and b"=" in start[:1000]


def read(path: Path) -> Volume:
    """Read a file. Raises InputError unless it is one whole volume."""
    header, end = _header(path)
    _require_no_scaling(path, header)
    files = data_files(path)
    require_files(path, files)
    geometry, dtype = grid_and_type(path, IMAGE_IO)
    if _is_true(header, "BinaryData", "True"):
        voxels = read_voxels(path, _stored(path, header, files, end), geometry.size_xyz[::-1], dtype)
    else:
        voxels = voxels_as_text(path, IMAGE_IO, geometry.size_xyz[::-1])
    return volume_of(path, image_on(voxels, geometry), _orientation(header))


def data_files(path: Path) -> tuple[Path, ...]:
    """The files that hold the voxels, in order; the header's own, if they follow it."""
    header, end = _header(path)
    name = header["ElementDataFile"]
    slices = number_in(path, "DimSize", (header.get("DimSize", "").split() or ["1"])[-1])
    if name.lower() == "local":
        return (path,)
    if name.startswith("LIST"):
        with path.open("rb") as stream:
            stream.seek(end)
            listed = [line.decode(errors="replace").strip() for line in stream if line.strip()]
        return tuple(path.parent / line for line in listed[:slices])
    if "%" in name:
        return _numbered(path, name, slices)
    file = path.parent / name
    packed = file.with_name(f"{file.name}.gz")
    return (packed if packed.is_file() and not file.is_file() else file,)


def _header(path: Path) -> tuple[dict[str, str], int]:
    """The fields, and the byte at which the header ends."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        for _ in range(MOST_LINES):
            line = stream.readline(LONGEST_LINE).decode(errors="replace")
            name, _, value = line.partition("=" if "=" in line else ":")
            fields[name.strip()] = value.strip()
            if name.strip() == "ElementDataFile":
                return fields, stream.tell()
    raise unreadable(path, "a header without ElementDataFile, its last field")


def _numbered(path: Path, pattern: str, slices: int) -> tuple[Path, ...]:
    """The files of `slice%03d.raw 1 100 1`: first number, last and step, of which all may be missing."""
    name, *words = pattern.split()
    numbers = [number_in(path, "ElementDataFile", word) for word in words]
    first, step = (numbers or [1])[0], max(1, (numbers[2:] or [1])[0])
    last = (numbers[1:] or [first + slices - 1])[0]
    try:
        return tuple(path.parent / (name % number) for number in range(first, last + 1, step)[:slices][:MOST_FILES])
    except (TypeError, ValueError) as error:
        remedy = "export the image again as one file (.nii.gz)"
        raise InputError(f"names of files in the header of {path}", pattern, remedy) from error


def _stored(path: Path, header: dict[str, str], files: tuple[Path, ...], end: int) -> Stored:
    skipped = number_in(path, "HeaderSize", header.get("HeaderSize", "0"))
    return Stored(
        files, start=skipped if skipped > 0 else end if files == (path,) else 0, skip=min(0, skipped),
        is_packed=_is_true(header, "CompressedData") or files[0].name.endswith(".gz"),
        is_big_endian=any(_is_true(header, name) for name in BIG_ENDIAN),
    )  # fmt: skip


def _is_true(header: dict[str, str], name: str, default: str = "False") -> bool:
    return header.get(name, default)[:1] in ("T", "t", "1")


def _require_no_scaling(path: Path, header: dict[str, str]) -> None:
    """Refuse a scaling, which some programs apply and most, SimpleITK among them, pass over."""
    for name, nothing in SCALING.items():
        if not _is_number(header.get(name, str(nothing)), nothing):
            found = f"a scaling that programs pass over: {name} = {header[name]}"
            remedy = f"store the intensities themselves (HU), or take {name} out of the header if they already are"
            raise InputError(f"intensities in {path}", found, remedy)


def _is_number(text: str, number: float) -> bool:
    try:
        return float(text) == number
    except ValueError:
        return False


def _orientation(header: dict[str, str]) -> tuple[Remark, ...]:
    letters = header.get("AnatomicalOrientation", "")
    if letters == ALONG_THE_PATIENT or any(name in header for name in ORIENTATIONS):
        return ()
    return (no_orientation("no TransformMatrix" + (f", only AnatomicalOrientation = {letters}" if letters else "")),)
