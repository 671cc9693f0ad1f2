#!/usr/bin/env bash
# rt-utils takes a row's height for a column's width: on pixels that are not square the contour lies beside the organ.
#
# Versions: rt-utils 1.2.7, pydicom 3.0.2, numpy 2.4.6, Python 3.11.
# Input: a CT whose PixelSpacing is 1.5\0.75, that is rows 1.5 mm apart (y) and columns 0.75 mm (x), and a mask on rows
#   40 to 49 and columns 10 to 19: x 7.5 to 14.25 mm, y 60 to 73.5 mm by the centres of its voxels.
# Expected: contour points in that range, since contours are in mm. rt-utils exchanges the two values, on writing and
#   on reading alike: its own round trip agrees, but the contour's mm are 35 mm away from the organ, and misshapen.
# Seen:
#   contour:    x 15 to 28.5 mm, y 30 to 36.75 mm
#   round trip: the same mask, True
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check rt-utils==1.2.7 pydicom==3.0.2 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import os

import numpy as np
import pydicom
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from rt_utils import RTStructBuilder

study, series, frame = generate_uid(), generate_uid(), generate_uid()
os.mkdir("ct")
for number in range(6):
    ct = pydicom.Dataset()
    ct.file_meta = pydicom.dataset.FileMetaDataset()
    ct.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ct.SOPClassUID, ct.SOPInstanceUID, ct.FrameOfReferenceUID = CTImageStorage, generate_uid(), frame
    ct.StudyInstanceUID, ct.SeriesInstanceUID, ct.Modality, ct.InstanceNumber = study, series, "CT", number + 1
    ct.PatientName, ct.PatientID, ct.PatientBirthDate, ct.PatientSex = "Made^Up", "1", "", "O"
    ct.StudyID, ct.StudyDate, ct.StudyTime = "1", "20200101", "000000"
    ct.ImagePositionPatient, ct.ImageOrientationPatient = [0, 0, 2.5 * number], [1, 0, 0, 0, 1, 0]
    ct.PixelSpacing, ct.SliceThickness, ct.Rows, ct.Columns = [1.5, 0.75], 2.5, 64, 64
    ct.SamplesPerPixel, ct.PhotometricInterpretation, ct.PixelRepresentation = 1, "MONOCHROME2", 0
    ct.BitsAllocated, ct.BitsStored, ct.HighBit, ct.PixelData = 16, 16, 15, bytes(64 * 64 * 2)
    ct.save_as(f"ct/{number}.dcm", enforce_file_format=True)

mask = np.zeros((64, 64, 6), bool)
mask[40:50, 10:20, 2:4] = True
structures = RTStructBuilder.create_new(dicom_series_path="ct")
structures.add_roi(mask=mask, name="organ")
structures.save("structures.dcm")
contour = pydicom.dcmread("structures.dcm").ROIContourSequence[0].ContourSequence[0].ContourData
x, y, _ = np.array(contour, float).reshape(-1, 3).T
written = RTStructBuilder.create_from(dicom_series_path="ct", rt_struct_path="structures.dcm")
again = written.get_roi_mask_by_name("organ")
print(f"contour:    x {x.min():g} to {x.max():g} mm, y {y.min():g} to {y.max():g} mm")
print("round trip: the same mask,", np.array_equal(again, mask))
assert (x.min(), x.max(), y.min(), y.max()) == (15, 28.5, 30, 36.75) and np.array_equal(again, mask)
EOF
