"""A hospital's export: series of many patients in folders that say nothing, made of headers alone."""

from collections.abc import Sequence
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

PATIENT = "MUELLER^HANS"
CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
AXIAL, CORONAL = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1]
SCAN, LOCALIZER = ["ORIGINAL", "PRIMARY", "AXIAL"], ["ORIGINAL", "PRIMARY", "LOCALIZER"]
MIP = ["DERIVED", "PRIMARY", "AXIAL", "CSA MIP"]


def header(series: str, instance: str, **values: object) -> Dataset:
    """A header of a patient's image; keywords change it."""
    data = Dataset()
    given = {
        "SOPClassUID": CT_STORAGE, "SOPInstanceUID": instance, "Modality": "CT", "ImageType": SCAN,
        "PatientName": PATIENT, "PatientID": "ID4711", "StudyInstanceUID": "1.2.3", "SeriesInstanceUID": series,
        "SeriesDescription": "Abdomen 1.0 B30f",
    } | values  # fmt: skip
    for keyword, value in given.items():
        setattr(data, keyword, value)
    return data


def write(data: Dataset, path: Path) -> Path:
    """Write a header as a file with preamble and mark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.save_as(path, enforce_file_format=True)
    return path


def write_images(folder: Path, series: str, count: int = 50, thick_mm: float = 5.0, **values: object) -> list[Path]:
    """The headers of a series of slices, names without extension that go on where those of the folder end."""
    start = len(list(folder.glob("IM*"))) if folder.exists() else 0
    axes = values.get("ImageOrientationPatient", AXIAL)
    along = 2 if axes == AXIAL else 1
    files = []
    for number in range(count):
        place = [0.0, 0.0, 0.0]
        place[along] = number * thick_mm
        given = {
            "ImageOrientationPatient": axes, "ImagePositionPatient": place, "SliceThickness": thick_mm,
            "InstanceNumber": number + 1, "Rows": 8, "Columns": 8,
        } | values  # fmt: skip
        files.append(write(header(series, f"{series}.{number}", **given), folder / f"IM{start + number:05}"))
    return files


def write_reference(path: Path, modality: str, series: str | Sequence[str], instance: str = "9.9") -> Path:
    """The header of a segmentation or structure set that refers to a series, or to several."""
    targets = []
    for uid in [series] if isinstance(series, str) else series:
        targets.append(Dataset())
        targets[-1].SeriesInstanceUID = uid
    data = header(f"{instance}.1", instance, Modality=modality)
    if modality == "SEG":
        data.ReferencedSeriesSequence = targets
    else:
        study, frame = Dataset(), Dataset()
        study.RTReferencedSeriesSequence = targets
        frame.RTReferencedStudySequence = [study]
        data.ReferencedFrameOfReferenceSequence = [frame]
    return write(data, path)
