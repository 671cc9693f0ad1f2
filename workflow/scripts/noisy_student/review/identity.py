"""A DICOM segmentation without whatever tells who the patient is."""

from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from noisy_student.files import whole_file

# What a segmentation takes over from the scan's patient, study and equipment. UIDs stay: by them alone a viewer finds
# the scan that it belongs to.
TELLING = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate",
    "StudyTime", "ReferringPhysicianName",
)  # fmt: skip
MAY_BE_ABSENT = (
    "PatientAge", "PatientSize", "PatientWeight", "PatientComments", "OtherPatientIDs", "OtherPatientNames",
    "OtherPatientIDsSequence", "IssuerOfPatientID", "EthnicGroup", "Occupation", "AdditionalPatientHistory",
    "StudyDescription", "InstitutionName", "InstitutionAddress", "StationName", "PhysiciansOfRecord",
    "NameOfPhysiciansReadingStudy", "OperatorsName", "PerformingPhysicianName", "ReferencedStudySequence",
    "ReasonForPerformedProcedureCodeSequence", "ConsultingPhysicianName", "ContentCreatorName",
    "PositionReferenceIndicator",
)  # fmt: skip


def without_identity(path: Path) -> None:
    """Take it out of a file, in one step."""
    data = pydicom.dcmread(path)
    remove_identity(data)
    with whole_file(path) as temporary:
        data.save_as(temporary)


def remove_identity(data: Dataset) -> None:
    """Empty what must be there, and remove what need not."""
    for keyword in TELLING:
        setattr(data, keyword, "" if keyword != "ReferringPhysicianName" else None)
    for keyword in MAY_BE_ABSENT:
        if keyword in data:
            delattr(data, keyword)
