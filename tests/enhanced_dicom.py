"""Enhanced (multi-frame) CT: all slices in one file, what differs between them in functional groups."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from dicom_series import PATIENT

ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"


def write_enhanced(
    path: Path,
    stored_zyx: np.ndarray,
    positions_mm: Sequence[Sequence[float]],
    scales: Sequence[tuple[float, float]] = ((1, -1024),),
    spacing_mm_xy: tuple[float, float] = (2.0, 2.0),
    axes: Sequence[float] = (1, 0, 0, 0, 1, 0),
    series: str = "1.2.3.4",
    bits: int = 16,
    **values: object,
) -> Path:
    """Write frames as they are stored (z, y, x), two bytes each, in their order.

    `scales`: slope and intercept of each frame, or once for all. `values` go into the header by keyword.
    """
    data, count = _header(stored_zyx, series, bits), len(stored_zyx)
    measures = {"PixelSpacing": list(spacing_mm_xy[::-1]), "SliceThickness": 3, "SpacingBetweenSlices": 3}
    shared = _groups(PlaneOrientationSequence={"ImageOrientationPatient": list(axes)}, PixelMeasuresSequence=measures)
    data.SharedFunctionalGroupsSequence, data.PerFrameFunctionalGroupsSequence = [shared], []
    for number in range(count):
        place = {"StackID": "1", "InStackPositionNumber": number + 1, "DimensionIndexValues": [1, number + 1]}
        position = {"ImagePositionPatient": list(positions_mm[number])}
        frame = _groups(PlanePositionSequence=position, FrameContentSequence=place)
        slope, intercept = scales[number % len(scales)]
        scale = {"RescaleSlope": slope, "RescaleIntercept": intercept, "RescaleType": "HU"}
        (shared if len(scales) == 1 else frame).update(_groups(PixelValueTransformationSequence=scale))
        data.PerFrameFunctionalGroupsSequence.append(frame)
    for keyword, value in values.items():
        setattr(data, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def _header(stored_zyx: np.ndarray, series: str, bits: int) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = ENHANCED_CT
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "1.2.3", series, "1.2.5"
    data.Modality, data.PatientName, data.ImageType = "CT", PATIENT, ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    data.NumberOfFrames, data.Rows, data.Columns = stored_zyx.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, bits, bits - 1
    data.PixelRepresentation = int(stored_zyx.dtype.kind == "i")
    data.PixelData = (stored_zyx.astype(int) & ((1 << bits) - 1)).astype(np.uint16).tobytes()
    organization = generate_uid()
    data.DimensionOrganizationSequence = [_dataset(DimensionOrganizationUID=organization)]
    data.DimensionIndexSequence = [
        _dataset(DimensionOrganizationUID=organization, DimensionIndexPointer=tag, FunctionalGroupPointer=0x00209111)
        for tag in (0x00209056, 0x00209057)
    ]
    return data


def _groups(**groups: dict[str, object]) -> Dataset:
    return _dataset(**{name: [_dataset(**values)] for name, values in groups.items()})


def _dataset(**values: object) -> Dataset:
    data = Dataset()
    for keyword, value in values.items():
        setattr(data, keyword, value)
    return data
