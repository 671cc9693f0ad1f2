"""Why a file cannot be read, in words that name the cause and a remedy for that cause."""

import os
from pathlib import Path

from noisy_student.damage import OF_THE_USER
from noisy_student.damage import remedy as made_again
from noisy_student.errors import InputError
from noisy_student.reading.volume import Remark

ONE_VOLUME = "one volume with one real number per voxel"
CHANNELS = "export one series as one volume; of several channels or time steps, one channel a file"
RIGHT_TO_READ = "give yourself the right to read it (its owner: chmod -R u+rX), or take it out"
PICTURES_INTO_ONE = "config/README.md, 'Pictures of slices', has the lines that make a mask of them on its scan's grid"
PICTURE = f"export a volume: NIfTI, NRRD, MHA or DICOM; of label maps, {PICTURES_INTO_ONE}"
ONE_LABEL_MAP = "export one label map that has a number for each organ, on its scan's grid, without layers or colours"
HEADER = "export it again, best as .nii.gz; if it could be read once, it is damaged: restore it"


def unreadable(path: Path, reason: str, remedy: str = "") -> InputError:
    """The error for a file that cannot be read; the remedy is that for damage unless another one is given."""
    if os.path.exists(path):  # noqa: PTH110 (of a folder that may not be entered, `Path.exists` raises)
        remedy = remedy or (made_again(path) if os.access(path, os.R_OK) else RIGHT_TO_READ)
        return InputError(f"a readable image at {path}", f"unreadable: {reason}", remedy)
    return _missing(path)


def _missing(path: Path) -> InputError:
    remedy = made_again(path)
    if remedy == OF_THE_USER:
        remedy = "correct the path (in a table of scans it counts from the table's own folder), or bring the file back"
    got = f"a link to {path.readlink()}, which is not there" if path.is_symlink() else "no such file"
    return InputError(f"a readable image at {path}", got, remedy)


def number_in(path: Path, name: str, text: str) -> int:
    """A whole number of a header's field."""
    try:
        return int(text)
    except ValueError:
        raise unreadable(path, f"{name}: {text!r} in its header is no whole number", HEADER) from None


def no_orientation(why: str) -> Remark:
    """The remark on a file that does not say where its axes point; it is read along those of the patient."""
    return Remark(
        "orientation", f"no orientation in the header ({why})", "axes of the patient",
        "export it again with orientation, or make sure by eye that left is left",
    )  # fmt: skip


# What lies under an image's name now and then: how it begins, what it is, what to do.
STRANGERS = (
    (b"version https://git-lfs", "a pointer of Git LFS instead of the file", "fetch the file itself: git lfs pull"),
    (b"/annex/", "a pointer of git-annex instead of the file", "fetch the file itself: git annex get"),
    (b"\x00\x05\x16\x07", "macOS's side file, which holds no image", "delete it; the image has the name without `._`"),
    (b"<!DOCTYPE", "a web page", "download the file again: the server sent a page instead"),
    (b"<html", "a web page", "download the file again: the server sent a page instead"),
    (b"PK\x03\x04", "a ZIP archive", "unpack it and name the file in it"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it and name the file in it"),
    (b"Rar!", "a RAR archive", "unpack it and name the file in it"),
    (b"\x89PNG", "a picture (PNG)", PICTURE),
    (b"\xff\xd8\xff", "a picture (JPEG)", PICTURE),
    (b"II*\x00", "a picture (TIFF)", PICTURE),
    (b"MM\x00*", "a picture (TIFF)", PICTURE),
    (b"\x89HDF", "an HDF5 or MINC file", "convert it to NIfTI (of MINC: mnc2nii)"),
)


def not_an_image(path: Path, start: bytes) -> InputError:
    """The error for a file whose beginning is of no known format."""
    formats = "NIfTI, NRRD, MHA or DICOM"
    for beginning, what, remedy in STRANGERS:
        if start.lower().startswith(beginning.lower()):
            return InputError(f"an image ({formats}) at {path}", what, remedy)
    if not start.strip(b"\x00"):
        got = "an empty file" if not start else "a file of zeros"
        return InputError(f"an image ({formats}) at {path}", got, made_again(path))
    remedy = f"convert it to one of these formats; if it was one, it is damaged: {made_again(path)}"
    return InputError(f"an image ({formats}) at {path}", "no NIfTI header, and no other format's", remedy)
