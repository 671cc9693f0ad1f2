#!/usr/bin/env bash
# dcm2niix straightens a gantry tilt to one side rightly; tilted to the other side, the whole scan is moved by 9 mm.
#
# Versions: dcm2niix 1.0.20260724 (the wheel of that name), SimpleITK 2.5.7, pydicom 3.0.2, numpy 2.4.6, Python 3.11.
# Input: a CT of 51 slices with the gantry tilted by +10 and by -10 degrees, over a ball around (32, 0, 50) mm.
# Expected: in the corrected file, _Tilt_1, the ball is where it was, whichever way the gantry leaned.
# Seen, the ball's centre of mass in _Tilt_1:
#   +10 degrees: (32.0, 0.0, 50.0)
#   -10 degrees: (32.0, 0.7, 40.8)
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

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

BALL = np.array([32, 0, 50])


def centre_after(tilt):
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    column = np.round([0, np.cos(np.radians(tilt)), -np.sin(np.radians(tilt))], 6)
    os.makedirs(f"tilt{tilt}/dicom")
    for number in range(51):
        corner = np.round(-32 * column + [0, 0, 2 * number], 6)
        points = corner + np.arange(64)[:, None, None] * column + np.arange(64)[:, None] * np.array([1, 0, 0])
        ct = pydicom.Dataset()
        ct.file_meta = pydicom.dataset.FileMetaDataset()
        ct.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ct.SOPClassUID, ct.SOPInstanceUID, ct.FrameOfReferenceUID = CTImageStorage, generate_uid(), frame
        ct.StudyInstanceUID, ct.SeriesInstanceUID, ct.Modality, ct.InstanceNumber = study, series, "CT", number + 1
        ct.Manufacturer, ct.PatientPosition, ct.ProtocolName, ct.SeriesNumber = "SIEMENS", "HFS", "abdomen", 1
        ct.GantryDetectorTilt, ct.ImagePositionPatient = tilt, corner.tolist()
        ct.ImageOrientationPatient, ct.PixelSpacing, ct.SliceThickness = [1, 0, 0, *column.tolist()], [1, 1], 2
        ct.SamplesPerPixel, ct.PhotometricInterpretation, ct.PixelRepresentation = 1, "MONOCHROME2", 1
        ct.BitsAllocated, ct.BitsStored, ct.HighBit, ct.Rows, ct.Columns = 16, 16, 15, 64, 64
        ct.RescaleSlope, ct.RescaleIntercept = 1, -1024
        ct.PixelData = np.where(((points - BALL) ** 2).sum(-1) < 12**2, 1100, 24).astype("<i2").tobytes()
        ct.save_as(f"tilt{tilt}/dicom/{number}.dcm", enforce_file_format=True)
    command = ["dcm2niix", "-f", "scan", "-o", f"tilt{tilt}", f"tilt{tilt}/dicom"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    image = sitk.ReadImage(f"tilt{tilt}/scan_Tilt_1.nii")
    index = np.argwhere(sitk.GetArrayFromImage(image) > -500).mean(axis=0)[::-1].tolist()
    return np.array(image.TransformContinuousIndexToPhysicalPoint(index))


positive, negative = centre_after(10), centre_after(-10)
for tilt, centre in ((10, positive), (-10, negative)):
    print(f"{tilt:+} degrees: ({', '.join(f'{value:.1f}' for value in centre)})")
assert np.linalg.norm(positive - BALL) < 0.2 and 8 < np.linalg.norm(negative - BALL) < 10
EOF
