"""A DICOM segmentation without whatever tells who the patient is.

What stays is named here. A writer of segmentations takes over whatever the scan's header says of patient, study, trial,
stay and equipment: some hundred elements, and a sequence with the hospital's name and address.
"""

from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from noisy_student.files import whole_file

# What describes the segmentation itself. UIDs stay: by them alone a viewer finds the scan that it belongs to.
KEPT = frozenset((
    "SpecificCharacterSet", "ImageType", "InstanceCreationDate", "InstanceCreationTime", "SOPClassUID",
    "SOPInstanceUID", "ContentDate", "ContentTime", "Modality", "Manufacturer", "ManufacturerModelName",
    "DeviceSerialNumber", "SoftwareVersions", "SeriesDescription", "SourceImageSequence", "ReferencedSeriesSequence",
    "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "InstanceNumber", "FrameOfReferenceUID",
    "DimensionOrganizationType", "DimensionOrganizationSequence", "DimensionIndexSequence", "ContentLabel",
    "ContentDescription", "PresentationLUTShape",
))  # fmt: skip
# Pixels and their grid, segments, frames.
KEPT_GROUPS = frozenset((0x0028, 0x0062, 0x5200, 0x7FE0))
# What must be there and may be empty (type 2).
EMPTY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate",
    "StudyTime", "ReferringPhysicianName", "PositionReferenceIndicator", "ContentCreatorName",
)  # fmt: skip


def without_identity(path: Path) -> None:
    """Take it out of a file, in one step."""
    data = pydicom.dcmread(path)
    remove_identity(data)
    with whole_file(path) as temporary:
        data.save_as(temporary)


def remove_identity(data: Dataset) -> None:
    """Remove all that does not describe the segmentation itself, and empty what must be there."""
    for element in list(data):
        if element.keyword not in KEPT and element.tag.group not in KEPT_GROUPS:
            del data[element.tag]
    for keyword in EMPTY:
        setattr(data, keyword, None)
