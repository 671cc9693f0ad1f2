#!/usr/bin/env bash
# dicom2nifti mirrors a multi-frame CT, head to feet, where its frames are not stored in the order of their numbers.
#
# Versions: dicom2nifti 2.6.2, pydicom 3.0.2, nibabel 5.4.2, numpy 2.4.6, Python 3.11.
# Input: an enhanced CT of five frames, -1000, -995 ... -980 HU from the feet to the head, in two files that hold the
#   same frames, one from the feet on, one from the head on. Each frame's number in its stack grows to the head, and the
#   standard lets frames be stored in any order.
# Expected: the same scan from both, since each frame says where it lies. Voxels are stacked by the frames' numbers, but
#   placed by the first and the last frame of the file: in the second the feet are at the head, without a word, and the
#   body is a mirror image, with left organs on the right.
# Seen:
#   stored from the feet on: HU from the feet to the head -1000, -995, -990, -985, -980
#   stored from the head on: HU from the feet to the head -980, -985, -990, -995, -1000
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


def write(folder, numbers):
    """Frames with these numbers in their stack, in this order; frame 1 at the feet, each 2 mm above the one before."""
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
        PixelValueTransformationSequence=item(RescaleSlope=1, RescaleIntercept=0, RescaleType="HU"),
    )
    ct.PerFrameFunctionalGroupsSequence = pydicom.Sequence()
    for number in numbers:
        ct.PerFrameFunctionalGroupsSequence += item(
            FrameContentSequence=item(StackID="1", InStackPositionNumber=number, DimensionIndexValues=[1, number]),
            PlanePositionSequence=item(ImagePositionPatient=[0, 0, 2 * number]),
        )
    stored = [np.full((8, 8), -1000 + 5 * (number - 1), "<i2") for number in numbers]
    ct.PixelData = np.stack(stored).tobytes()
    os.mkdir(folder)
    ct.save_as(f"{folder}/ct.dcm", enforce_file_format=True)


seen = {}
for end, numbers in {"feet": (1, 2, 3, 4, 5), "head": (5, 4, 3, 2, 1)}.items():
    write(end, numbers)
    dicom2nifti.dicom_series_to_nifti(end, f"{end}.nii.gz")
    scan = nibabel.load(f"{end}.nii.gz")
    upwards = nibabel.as_closest_canonical(scan).get_fdata()[0, 0]  # nibabel's z grows to the head
    seen[end] = [round(value) for value in upwards]
    print(f"stored from the {end} on: HU from the feet to the head", ", ".join(map(str, seen[end])))
assert seen == {"feet": [-1000, -995, -990, -985, -980], "head": [-980, -985, -990, -995, -1000]}, seen
EOF
