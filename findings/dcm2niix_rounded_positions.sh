#!/usr/bin/env bash
# dcm2niix takes the distance of the first two slices for all: z rounded to 0.1 mm makes a scan 10 mm shorter.
#
# Versions: dcm2niix 1.0.20260724 (the wheel of that name), SimpleITK 2.5.7, pydicom 3.0.2, numpy 2.4.6, Python 3.11.
# Input: a CT of 400 slices every 0.625 mm, whose positions are written with one digit (0, 0.6, 1.2, 1.9, 2.5 ...), as
#   scanners and archives often do.
# Expected: 399 x 0.625 = 249.4 mm from the first to the last slice. SimpleITK divides that by the number of slices and
#   warns; dcm2niix repeats the first 0.6 mm, exits with 0 and says nothing.
# Seen:
#   SimpleITK: 249.4 mm
#   dcm2niix:  239.4 mm, files: scan.nii, words of warning: 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  dcm2niix==1.0.20260724 SimpleITK==2.5.7 pydicom==3.0.2 numpy==2.4.6
cd "$work"
PATH="$work/venv/bin:$PATH" python - <<'EOF'
import os
import subprocess
from glob import glob

import pydicom
import SimpleITK as sitk
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

study, series, frame = generate_uid(), generate_uid(), generate_uid()
os.mkdir("dicom")
for number in range(400):
    ct = pydicom.Dataset()
    ct.file_meta = pydicom.dataset.FileMetaDataset()
    ct.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ct.SOPClassUID, ct.SOPInstanceUID, ct.FrameOfReferenceUID = CTImageStorage, generate_uid(), frame
    ct.StudyInstanceUID, ct.SeriesInstanceUID, ct.Modality, ct.InstanceNumber = study, series, "CT", number + 1
    ct.Manufacturer, ct.PatientPosition, ct.ProtocolName, ct.SeriesNumber = "SIEMENS", "HFS", "abdomen", 1
    ct.ImagePositionPatient, ct.ImageOrientationPatient = [0, 0, round(0.625 * number, 1)], [1, 0, 0, 0, 1, 0]
    ct.PixelSpacing, ct.SliceThickness, ct.Rows, ct.Columns = [1, 1], 0.625, 8, 8
    ct.SamplesPerPixel, ct.PhotometricInterpretation, ct.PixelRepresentation = 1, "MONOCHROME2", 1
    ct.BitsAllocated, ct.BitsStored, ct.HighBit, ct.PixelData = 16, 16, 15, bytes(8 * 8 * 2)
    ct.save_as(f"dicom/{number:03}.dcm", enforce_file_format=True)


def length(image):
    return round((image.GetSize()[2] - 1) * image.GetSpacing()[2], 1)


command = ["dcm2niix", "-f", "scan", "-o", ".", "dicom"]
said = subprocess.run(command, check=True, capture_output=True, text=True)
warnings = (said.stdout + said.stderr).lower().count("warning")
files = glob("*.nii")
right = length(sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames("dicom")))
wrong = length(sitk.ReadImage("scan.nii"))
print(f"SimpleITK: {right} mm")
print(f"dcm2niix:  {wrong} mm, files: {', '.join(files)}, words of warning: {warnings}")
assert (right, wrong, files, warnings) == (249.4, 239.4, ["scan.nii"], 0)
EOF
