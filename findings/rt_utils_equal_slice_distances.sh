#!/usr/bin/env bash
# rt-utils takes all slices to be as far apart as they are on average: contours contradict the very slices they name.
#
# Versions: rt-utils 1.2.7, pydicom 3.0.2, numpy 2.4.6, Python 3.11.
# Input: a CT whose slices lie at 0, 5, 10, 12.5, 15 and 17.5 mm, as scanners leave where two ranges of one acquisition
#   meet, and a mask on the third one.
# Expected: a contour at 10 mm, the position of the image that its ContourImageSequence names. rt-utils multiplies the
#   slice's number by the mean distance, on writing and on reading alike: its own round trip agrees, and nothing warns.
# Seen:
#   the image it names: 10 mm
#   the contour:        7 mm
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

heights_mm = [0, 5, 10, 12.5, 15, 17.5]
study, series, frame = generate_uid(), generate_uid(), generate_uid()
where = {}
os.mkdir("ct")
for number, height_mm in enumerate(heights_mm):
    ct = pydicom.Dataset()
    ct.file_meta = pydicom.dataset.FileMetaDataset()
    ct.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ct.SOPClassUID, ct.SOPInstanceUID, ct.FrameOfReferenceUID = CTImageStorage, generate_uid(), frame
    ct.StudyInstanceUID, ct.SeriesInstanceUID, ct.Modality, ct.InstanceNumber = study, series, "CT", number + 1
    ct.PatientName, ct.PatientID, ct.PatientBirthDate, ct.PatientSex = "Made^Up", "1", "", "O"
    ct.StudyID, ct.StudyDate, ct.StudyTime = "1", "20200101", "000000"
    ct.ImagePositionPatient, ct.ImageOrientationPatient = [0, 0, height_mm], [1, 0, 0, 0, 1, 0]
    ct.PixelSpacing, ct.SliceThickness, ct.Rows, ct.Columns = [1, 1], 2.5, 64, 64
    ct.SamplesPerPixel, ct.PhotometricInterpretation, ct.PixelRepresentation = 1, "MONOCHROME2", 0
    ct.BitsAllocated, ct.BitsStored, ct.HighBit, ct.PixelData = 16, 16, 15, bytes(64 * 64 * 2)
    where[ct.SOPInstanceUID] = height_mm
    ct.save_as(f"ct/{number}.dcm", enforce_file_format=True)

mask = np.zeros((64, 64, 6), bool)
mask[20:40, 20:40, 2] = True
structures = RTStructBuilder.create_new(dicom_series_path="ct")
structures.add_roi(mask=mask, name="organ")
structures.save("structures.dcm")
(contour,) = pydicom.dcmread("structures.dcm").ROIContourSequence[0].ContourSequence
named_mm = where[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
(contour_mm,) = set(np.array(contour.ContourData, float).reshape(-1, 3)[:, 2])
written = RTStructBuilder.create_from(dicom_series_path="ct", rt_struct_path="structures.dcm")
again = written.get_roi_mask_by_name("organ")
print(f"the image it names: {named_mm:g} mm")
print(f"the contour:        {contour_mm:g} mm")
print("round trip: the same mask,", np.array_equal(again, mask))
assert (named_mm, contour_mm) == (10, 7) and np.array_equal(again, mask)
EOF
