"""DICOM files that hold segments instead of images, told by their SOP class (DICOM PS3.4, B.5)."""

from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.filereader import read_partial

from noisy_student.errors import InputError, last_line
from noisy_student.lists import first_of
from noisy_student.reading.dicom.files import dicom_files, is_dicom, visible_files
from noisy_student.reading.dicom.headers import CLASS
from noisy_student.reading.dicom.identity import referred_series
from noisy_student.reading.dicom.values import text
from noisy_student.reading.names import PICTURES
from noisy_student.reading.problems import PICTURES_INTO_ONE, unreadable
from noisy_student.reading.volume import Remark, Volume

SEGMENTATION, STRUCTURE_SET = "a segmentation", "a structure set"
CLASSES = {
    "1.2.840.10008.5.1.4.1.1.66.4": SEGMENTATION,
    "1.2.840.10008.5.1.4.1.1.66.7": SEGMENTATION,
    "1.2.840.10008.5.1.4.1.1.481.3": STRUCTURE_SET,
}


def kind_of(path: Path) -> str:
    """Whether a file is a segmentation or a structure set; empty if it is neither."""
    if not is_dicom(path):
        return ""
    try:
        with path.open("rb") as stream:
            data = read_partial(stream, stop_when=lambda tag, vr, length: tag > CLASS, force=True)
    except Exception:  # pydicom raises whatever damaged bytes lead to
        return ""
    return CLASSES.get(text(data, CLASS), "")


def only_one_in(folder: Path) -> Path:
    """The one segmentation or structure set of a folder. Raises InputError unless there is exactly one."""
    found = [path for path in dicom_files(folder) if kind_of(path)]
    if len(found) == 1:
        return found[0]
    wanted = f"a label map in the folder {folder}: masks, or one DICOM segmentation or structure set"
    if not found:
        raise InputError(wanted, *_instead(folder))
    names = first_of([path.relative_to(folder) for path in found], 4)
    raise InputError(wanted, f"{len(found)} of these: {names}", "name the one that counts")


def _instead(folder: Path) -> tuple[str, str]:
    """What lies in a folder that is no label map, and the remedy."""
    files = visible_files(folder)
    if pictures := [path for path in files if path.suffix.lower() in PICTURES]:
        found = f"{len(pictures)} picture(s) such as {pictures[0].relative_to(folder)}"
        return f"{found}, which say neither where they lie nor which one is towards the head", PICTURES_INTO_ONE
    if slices := [path for path in files if is_dicom(path)]:
        found = f"{len(slices)} DICOM image(s) such as {slices[0].relative_to(folder)}"
        remedy = (
            "of masks, name the folder in which each organ's slices have a folder called after it; of slices with a "
            "number for each organ, make one file (SimpleITK: GetGDCMSeriesFileNames, ReadImage, WriteImage to "
            ".nii.gz), and say under `labels` which number is which organ"
        )
        return f"{found}, which do not name their organs", remedy
    return "none of these", "name the file of the label map, or the folder of its masks"


def require_frame_of_reference(path: Path, scan: Volume, given: str) -> None:
    """Raise InputError if what was drawn says that it belongs to another frame of reference than the scan's slices."""
    known = scan.acquired.frame_of_reference if scan.acquired else ""
    if known and given and known != given:
        wanted = f"{path} in its scan's frame of reference"
        remedy = (
            "give the scan that it was drawn on; if it is this one, whose identifiers were changed, give both the "
            "same, or the scan as NIfTI: then positions count alone"
        )
        raise InputError(wanted, "another one: the FrameOfReferenceUIDs differ", remedy)


def other_series(scan: Volume, data: Dataset, sequences: tuple[str, ...]) -> list[Remark]:
    """A remark if what was drawn refers to other series than the scan, through these sequences."""
    known = scan.acquired.series if scan.acquired else ""
    referred = referred_series(data, sequences)
    if not known or not referred or known in referred:
        return []
    found = "drawn on another series than the scan, by its header: the SeriesInstanceUIDs differ"
    remedy = "nothing, if identifiers were changed; if it is of another phase or reconstruction, give that series"
    return [Remark("series", found, "segments that were drawn on this series", remedy)]


def damaged(path: Path, kind: str, error: Exception) -> InputError:
    """The error for a file from which pydicom cannot make out what it should hold."""
    return unreadable(path, f"not whole as {kind}: {last_line(error)}")


def item(data: Dataset, keyword: str) -> Dataset:
    """The first item of a sequence; an empty data set if there is none."""
    return next(iter(data.get(keyword) or ()), Dataset())
