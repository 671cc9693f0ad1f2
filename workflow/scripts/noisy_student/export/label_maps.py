"""A round's label maps in a format that other programs open, case by case; what is whole is not made again."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from noisy_student import __version__
from noisy_student.cohort.archive.private import OWN_ALONE
from noisy_student.errors import InputError
from noisy_student.files import read_json, sha256, visible, write_text
from noisy_student.images import read_image
from noisy_student.organs import Organ, to_json
from noisy_student.reading.dicom.files import is_dicom_scan
from noisy_student.reading.door import require_unchanged
from noisy_student.writing.door import write_segmentation
from noisy_student.writing.formats import DICOM_SEG, FORMATS
from noisy_student.writing.segmentation import Segmentation, of_model

NO_DICOM = "the scan is no DICOM, which the format refers to"
COLUMNS = ("case", "file", "organs", "why")


@dataclass(frozen=True)
class Export:
    """One case: its label map, the scan as its user has it with its checksum, and what is made of them in `folder`.

    `made_by` says which label maps these are, `model` is the checksum of the model that made them. `is_private`: the
    file names the patient, whom results do not tell; it is its owner's alone.
    """

    case: str
    label_map: Path
    scan: Path
    scan_sha256: str
    folder: Path
    format: str
    organs: Sequence[Organ]
    made_by: str
    model: str
    is_private: bool = False

    @property
    def target(self) -> Path:
        """The file that is made."""
        return self.folder / f"{self.case}{FORMATS[self.format]}"

    @property
    def record(self) -> Path:
        """What it was made from, and its row of the table: beside the folder, which is for others."""
        return records(self.folder, self.format) / f"{self.case}.json"

    @property
    def made_from(self) -> str:
        """What the file depends on, as a checksum."""
        parts = [sha256(self.label_map), self.scan_sha256, self.model, self.made_by, __version__]
        table = to_json(self.organs, "label", "name", "colour", "snomed")
        return hashlib.sha256("\n".join([*parts, table]).encode()).hexdigest()


def records(folder: Path, format: str) -> Path:
    """Where the records lie of what is exported to a folder."""
    return folder.parent / "records" / format


def keep_only(folder: Path, format: str, cases: Collection[str]) -> None:
    """Delete what was exported to a folder of all other cases; what has no record, somebody else put there."""
    for record in visible(records(folder, format), ".json"):
        case = record.name.removesuffix(".json")
        if case not in cases:
            (folder / f"{case}{FORMATS[format]}").unlink(missing_ok=True)
            record.unlink()


def export(wanted: Export) -> dict[str, str]:
    """Make the file, unless it is there; its row: the organs in it, and where there is no file the reason."""
    made_from = wanted.made_from
    if (row := _done(wanted, made_from)) is not None:
        return row
    image = read_image(wanted.label_map)
    found = np.unique(sitk.GetArrayViewFromImage(image))
    why = _write(wanted, Segmentation(image, wanted.organs, of_model(wanted.made_by, wanted.model)))
    row = {
        "case": wanted.case,
        "file": "" if why else str(wanted.target) if wanted.is_private else wanted.target.name,
        "organs": ", ".join(organ.name for organ in wanted.organs if organ.label in found),
        "why": why,
    }
    write_text(wanted.record, json.dumps({"made_from": made_from, "row": row}))
    return row


def _done(wanted: Export, made_from: str) -> dict[str, str] | None:
    if not wanted.record.exists():
        return None
    record: dict[str, Any] = read_json(wanted.record)
    is_there = not record["row"]["file"] or wanted.target.exists()
    return record["row"] if record["made_from"] == made_from and is_there else None


def _write(wanted: Export, segmentation: Segmentation) -> str:
    """Write the file; why there is none, empty if there is."""
    if wanted.format == DICOM_SEG:
        if not is_dicom_scan(wanted.scan):
            return NO_DICOM
        require_unchanged(wanted.scan, wanted.scan_sha256)
    try:
        remarks = write_segmentation(segmentation, wanted.scan, wanted.target)
    except InputError as error:
        wanted.target.unlink(missing_ok=True)
        return f"{error.got}; wanted {error.wanted}"
    if wanted.is_private and wanted.target.exists():
        wanted.target.chmod(OWN_ALONE)
    return "; ".join(remark.found for remark in remarks)
