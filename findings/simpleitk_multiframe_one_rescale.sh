#!/usr/bin/env bash
# SimpleITK gives all frames of a multi-frame CT the rescale of the first frame, also where each frame states its own.
#
# Versions: SimpleITK 2.5.7, highdicom 0.28.2 (writes the file), pydicom 3.0.2, numpy 2.4.6, Python 3.11.
# Input: five CT slices of 0 to 4 HU, the lowest stored with intercept 0, the others with -1024, put into one Legacy
#   Converted Enhanced CT by highdicom, which notes slope and intercept per frame, as the standard has it.
# Expected: the HU of the slices. SimpleITK is right about the grid and applies the first frame's -1024 (the topmost
#   slice's) to all, without a message; highdicom's own reader goes frame by frame.
# Seen, from head to feet:
#   highdicom: [4, 3, 2, 1, 0]
#   SimpleITK: [4, 3, 2, 1, -1024]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  SimpleITK==2.5.7 highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import highdicom
import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

study, series, frame = generate_uid(), generate_uid(), generate_uid()
slices = []
for number, (stored, intercept) in enumerate([(0, 0), (1025, -1024), (1026, -1024), (1027, -1024), (1028, -1024)]):
    ct = pydicom.Dataset()
    ct.file_meta = pydicom.dataset.FileMetaDataset()
    ct.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ct.SOPClassUID, ct.SOPInstanceUID = CTImageStorage, generate_uid()
    ct.StudyInstanceUID, ct.SeriesInstanceUID, ct.FrameOfReferenceUID = study, series, frame
    ct.PatientName, ct.PatientID, ct.PatientBirthDate, ct.PatientSex = "Made^Up", "1", "", "O"
    ct.StudyID, ct.StudyDate, ct.StudyTime, ct.AccessionNumber = "1", "20200101", "000000", ""
    ct.ReferringPhysicianName = ct.PositionReferenceIndicator = ct.Manufacturer = ""
    ct.Modality, ct.SeriesNumber, ct.InstanceNumber, ct.AcquisitionNumber = "CT", 1, number + 1, 1
    ct.ImageType, ct.BodyPartExamined = ["ORIGINAL", "PRIMARY", "AXIAL"], "ABDOMEN"
    ct.ImagePositionPatient, ct.ImageOrientationPatient = [0, 0, 2.5 * number], [1, 0, 0, 0, 1, 0]
    ct.PixelSpacing, ct.SliceThickness, ct.Rows, ct.Columns = [1, 1], 2.5, 8, 8
    ct.SamplesPerPixel, ct.PhotometricInterpretation, ct.PixelRepresentation = 1, "MONOCHROME2", 0
    ct.BitsAllocated, ct.BitsStored, ct.HighBit = 16, 16, 15
    ct.RescaleSlope, ct.RescaleIntercept, ct.RescaleType = 1, intercept, "HU"
    ct.PixelData = np.full((8, 8), stored, "<u2").tobytes()
    slices.append(ct)
highdicom.legacy.LegacyConvertedEnhancedCTImage(slices, generate_uid(), 2, generate_uid(), 1).save_as("ct.dcm")

right = [int(value) for value in highdicom.imread("ct.dcm").get_volume().array[:, 0, 0]]
wrong = [int(value) for value in sitk.GetArrayFromImage(sitk.ReadImage("ct.dcm"))[:, 0, 0]]
print("highdicom:", right)
print("SimpleITK:", wrong)
assert right == [4, 3, 2, 1, 0] and wrong == [4, 3, 2, 1, -1024]
EOF
