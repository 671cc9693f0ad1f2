#!/usr/bin/env bash
# dicom2nifti leaves a multi-frame CT in stored values, not in HU, where all frames share one rescale.
#
# Versions: dicom2nifti 2.6.2, pydicom 3.0.2, nibabel 5.4.2, numpy 2.4.6, Python 3.11.
# Input: an enhanced CT of five frames of air, stored as 24 with rescale intercept -1024: once each frame has the
#   rescale, once it stands in the functional groups that all frames share, where the standard has what they have alike.
# Expected: -1000 HU from both. A rescale that is shared is passed over, without a word: air is 24, soft tissue 1064.
# Seen:
#   rescale of each frame: air is -1000
#   rescale of all frames: air is 24
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  dicom2nifti==2.6.2 pydicom==3.0.2 nibabel==5.4.2 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import os

import dicom2nifti
import nibabel
import numpy as np
import pydicom
from pydicom.uid import EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid


def item(**elements):
    part = pydicom.Dataset()
    for keyword, value in elements.items():
        setattr(part, keyword, value)
    return pydicom.Sequence([part])


def write(folder, shared, of_each):
    """Five frames, each 2 mm above the one before, with these elements for all together, and these for each."""
    numbers = (1, 2, 3, 4, 5)
    organization = generate_uid()
    ct = pydicom.Dataset()
    ct.file_meta = pydicom.dataset.FileMetaDataset()
    ct.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ct.SOPClassUID, ct.SOPInstanceUID, ct.FrameOfReferenceUID = EnhancedCTImageStorage, generate_uid(), generate_uid()
    ct.StudyInstanceUID, ct.SeriesInstanceUID = generate_uid(), generate_uid()
    ct.PatientName, ct.PatientID, ct.PatientBirthDate, ct.PatientSex = "Made^Up", "1", "", "O"
    ct.Manufacturer, ct.Modality, ct.SeriesNumber, ct.InstanceNumber = "Made up", "CT", 1, 1
    ct.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    ct.Rows, ct.Columns, ct.NumberOfFrames = 8, 8, len(numbers)
    ct.SamplesPerPixel, ct.PhotometricInterpretation, ct.PixelRepresentation = 1, "MONOCHROME2", 1
    ct.BitsAllocated, ct.BitsStored, ct.HighBit = 16, 16, 15
    ct.DimensionOrganizationSequence = item(DimensionOrganizationUID=organization)
    ct.DimensionIndexSequence = pydicom.Sequence()
    for pointer in (0x00209056, 0x00209057):  # stack, position in stack
        ct.DimensionIndexSequence += item(
            DimensionOrganizationUID=organization, DimensionIndexPointer=pointer, FunctionalGroupPointer=0x00209111
        )
    ct.SharedFunctionalGroupsSequence = item(
        PixelMeasuresSequence=item(PixelSpacing=[1, 1], SliceThickness=2),
        PlaneOrientationSequence=item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
        **shared,
    )
    ct.PerFrameFunctionalGroupsSequence = pydicom.Sequence()
    for number in numbers:
        ct.PerFrameFunctionalGroupsSequence += item(
            FrameContentSequence=item(StackID="1", InStackPositionNumber=number, DimensionIndexValues=[1, number]),
            PlanePositionSequence=item(ImagePositionPatient=[0, 0, 2 * number]),
            **of_each,
        )
    ct.PixelData = np.full((5, 8, 8), 24, "<i2").tobytes()
    os.mkdir(folder)
    ct.save_as(f"{folder}/ct.dcm", enforce_file_format=True)


rescale = {"PixelValueTransformationSequence": item(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU")}
seen = {}
for name, shared, of_each in (("each frame", {}, rescale), ("all frames", rescale, {})):
    folder = name.replace(" ", "_")
    write(folder, shared, of_each)
    dicom2nifti.dicom_series_to_nifti(folder, f"{folder}.nii.gz")
    seen[name] = np.unique(nibabel.load(f"{folder}.nii.gz").get_fdata()).tolist()
    print(f"rescale of {name}: air is", *map(round, seen[name]))
assert seen == {"each frame": [-1000], "all frames": [24]}, seen
EOF
