"""What a person is handed of a scan: scan and label map for a viewer, and what to do, in one folder.

The folder names no patient and no path. What a person saves into it is not overwritten: it holds the checksums of its
files as they were handed out.
"""

import json
import shutil
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk

from noisy_student.errors import InputError
from noisy_student.files import UNFINISHED, read_json, sha256, visible, whole_file, whole_folder, write_text
from noisy_student.geometry import Geometry, reorient
from noisy_student.images import read_image, write_image
from noisy_student.organs import Organ
from noisy_student.reading.dicom.files import is_dicom_scan
from noisy_student.report.montage import WINDOW_LEVEL_HU, WINDOW_WIDTH_HU
from noisy_student.review.doubt import OrganDoubt
from noisy_student.review.identity import without_identity
from noisy_student.review.itksnap import label_description, workspace
from noisy_student.review.places import in_words
from noisy_student.review.readme import readme
from noisy_student.review.slicer_script import script
from noisy_student.writing.door import write_segmentation
from noisy_student.writing.formats import DICOM_SEG, FORMATS, NIFTI, SLICER
from noisy_student.writing.segmentation import Segmentation

RECORD = "handed_out.json"
# ZIP files begin in 1980; one date for all keeps the file the same from run to run.
DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Handout:
    """One scan: its converted file, its file or folder as its user has it, its label map, and what to look at in it.

    `letters` is the orientation in which the scan is stored. `is_private`: it is of an archive, so that nothing is made
    that refers to it.
    """

    case: str
    converted: Path
    source: Path
    letters: str
    label_map: Path
    found: Sequence[OrganDoubt]
    minutes: float
    is_private: bool = False


def hand_out(wanted: Handout, folder: Path, organs: Sequence[Organ], made_by: str, round_number: int) -> list[str]:
    """Write a scan's folder, whole or not at all; the organs to look at with their places, in words.

    Raises InputError for a label map on another grid, and where the folder is there.
    """
    if folder.exists():
        got = f"the folder is there without {RECORD}, so it was not handed out, or not as a whole"
        raise InputError(f"no {folder} before the scan is handed out", got, "take out what is yours, and delete it")
    with whole_folder(folder) as unfinished:
        return _write(wanted, unfinished, organs, made_by, round_number)


def _write(wanted: Handout, folder: Path, organs: Sequence[Organ], made_by: str, round_number: int) -> list[str]:
    case = wanted.case
    scan_name, label_name, segmentation_name = f"{case}_scan.nii.gz", f"{case}.nii.gz", f"{case}.seg.nrrd"
    canonical, label_map = read_image(wanted.converted), read_image(wanted.label_map)
    scan = reorient(canonical, wanted.letters)
    if differences := Geometry.of(scan).differences(Geometry.of(label_map)):
        raise InputError("a label map on its scan's grid", "; ".join(differences), "label the scan again")
    segmentation = Segmentation(label_map, organs, made_by)
    write_image(scan, folder / scan_name)
    formats = [NIFTI, SLICER]
    if is_dicom_scan(wanted.source) and not wanted.is_private:
        formats.append(DICOM_SEG)
    for format in formats:
        path = folder / f"{case}{FORMATS[format]}"
        try:
            write_segmentation(segmentation, wanted.source, path)
        except InputError as error:
            if format != DICOM_SEG:
                raise
            path.unlink(missing_ok=True)
            print(f"no DICOM-SEG of {case}: {error.got}", file=sys.stderr)
        if format == DICOM_SEG and path.exists():
            without_identity(path)
    voxels = sitk.GetArrayViewFromImage(scan)
    write_text(folder / "labels.txt", label_description(organs))
    write_text(
        folder / f"{case}.itksnap",
        workspace(scan_name, label_name, organs, (float(voxels.min()), float(voxels.max()))),
    )
    write_text(folder / "open_in_slicer.py", script(scan_name, segmentation_name))
    where = [in_words(organ, Geometry.of(canonical), wanted.letters) for organ in wanted.found]
    has_dicom = (folder / f"{case}{FORMATS[DICOM_SEG]}").exists()
    window = (WINDOW_WIDTH_HU, WINDOW_LEVEL_HU)
    write_text(folder / "README.txt", readme(case, round_number, where, wanted.minutes, window, has_dicom))
    checksums = {path.name: sha256(path) for path in visible(folder) if path.name != RECORD}
    write_text(folder / RECORD, json.dumps(checksums, indent=2))
    return where


def remove_earlier(folder: Path) -> None:
    """Remove what was handed out before, and what a kill left half-written.

    Raises InputError where a person has saved something there since.
    """
    records = sorted(folder.glob(f"*/{RECORD}"))
    for record in records:
        known = read_json(record)
        changed = [
            path.name
            for path in visible(record.parent)
            if path != record and (path.is_dir() or known.get(path.name) != sha256(path))
        ]
        if changed:
            raise InputError(
                f"{record.parent} as it was handed out",
                f"{', '.join(changed)} changed since",
                "move corrected files into the folder that `corrections` names, then delete this one and start again",
            )
    for record in records:
        shutil.rmtree(record.parent)
    for unfinished in folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(unfinished)


def pack(folder: Path, names: Sequence[str], path: Path, root: str) -> None:
    """Put folders and files of a folder into one zip file, all of it below `root`; files are compressed already."""
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as target:
        for name in names:
            found = folder / name
            for file in [found] if found.is_file() else sorted(visible(found)):
                entry = zipfile.ZipInfo(f"{root}/{file.relative_to(folder)}", DATE)
                with target.open(entry, "w", force_zip64=True) as stream, file.open("rb") as source:
                    shutil.copyfileobj(source, stream)
