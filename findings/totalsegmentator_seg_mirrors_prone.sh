#!/usr/bin/env bash
# TotalSegmentator writes the DICOM segmentation of a prone scan with left and right exchanged, without a word.
#
# Versions: TotalSegmentator 2.18.0, dicom2nifti 2.6.2, highdicom 0.28.2, pydicom 3.0.2, nibabel 5.4.2, numpy 2.4.6,
#   Python 3.11.
# Input: two CTs of the same body, as of a patient on the back and on the front: image orientation 1\0\0\0\1\0, and
#   -1\0\0\0\-1\0. The scan goes the way of `TotalSegmentator -i ct -o seg.dcm --output_type dicom_seg` with its own
#   functions; in place of the network's a made-up mask of one organ, from 8 to 12 mm left of the middle.
# Expected: the organ in the segmentation lies where the mask has it. A row that runs to the patient's right is not
#   asked for, only a column that runs to the front: the organ lies at the other side of the body.
# Seen:
#   1\0\0\0\1\0:    mask at x = 10 mm, segmentation at x = 10 mm
#   -1\0\0\0\-1\0:  mask at x = 10 mm, segmentation at x = -10 mm
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip dicom2nifti==2.6.2 highdicom==0.28.2 pydicom==3.0.2 nibabel==5.4.2 numpy==2.4.6 tqdm==4.70.1 requests==2.34.2
pip --no-deps TotalSegmentator==2.18.0 # without the network's packages
cd "$work"
venv/bin/python - 2>log <<'EOF' || { cat log; exit 1; }
import os
import sys
from pathlib import Path
from types import ModuleType

import nibabel
import numpy as np
import pydicom
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

sys.modules["torch"] = ModuleType("torch")  # it is imported, but neither reading nor writing DICOM computes with it
from totalsegmentator.dicom_io import dcm_to_nifti, save_mask_as_dicomseg


def write_ct(folder, row_x, column_y):
    """Six slices of 16 x 16 pixels of 2 mm, the middle of each at x = y = 0."""
    os.mkdir(folder)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for number in range(6):
        ct = pydicom.Dataset()
        ct.file_meta = pydicom.dataset.FileMetaDataset()
        ct.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ct.SOPClassUID, ct.SOPInstanceUID, ct.FrameOfReferenceUID = CTImageStorage, generate_uid(), frame
        ct.StudyInstanceUID, ct.SeriesInstanceUID, ct.Modality, ct.InstanceNumber = study, series, "CT", number + 1
        ct.PatientName, ct.PatientID, ct.PatientBirthDate, ct.PatientSex = "Made^Up", "1", "", "O"
        ct.StudyID, ct.StudyDate, ct.StudyTime, ct.AccessionNumber = "1", "20200101", "000000", ""
        ct.ReferringPhysicianName, ct.Manufacturer, ct.PositionReferenceIndicator = "", "", ""
        ct.SeriesNumber, ct.ImageType = 1, ["ORIGINAL", "PRIMARY", "AXIAL"]
        ct.ImageOrientationPatient = [row_x, 0, 0, 0, column_y, 0]
        ct.ImagePositionPatient = [-15 * row_x, -15 * column_y, 2 * number]
        ct.PixelSpacing, ct.SliceThickness, ct.Rows, ct.Columns = [2, 2], 2, 16, 16
        ct.SamplesPerPixel, ct.PhotometricInterpretation, ct.PixelRepresentation = 1, "MONOCHROME2", 0
        ct.BitsAllocated, ct.BitsStored, ct.HighBit, ct.PixelData = 16, 16, 15, bytes(16 * 16 * 2)
        ct.RescaleSlope, ct.RescaleIntercept = 1, -1024
        ct.save_as(f"{folder}/{number}.dcm", enforce_file_format=True)


def middle_of_segmentation(path):
    """x in mm of the labelled pixels of all frames, by their own position and orientation."""
    segmentation = pydicom.dcmread(path)
    row = np.array(segmentation.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient)
    found = []
    for frame, pixels in zip(segmentation.PerFrameFunctionalGroupsSequence, segmentation.pixel_array, strict=True):
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        found += [position[0] + 2 * column * row[0] for column in np.nonzero(pixels)[1]]
    return np.mean(found)


seen = {}
for row_x, column_y in ((1, 1), (-1, -1)):
    name = rf"{row_x}\0\0\0\{column_y}\0"
    folder = f"ct{row_x}"
    write_ct(folder, row_x, column_y)
    dcm_to_nifti(Path(folder), f"{folder}.nii.gz")
    scan = nibabel.load(f"{folder}.nii.gz")
    indices = np.moveaxis(np.indices(scan.shape), 0, -1)
    # NIfTI counts to the right and to the front, DICOM to the left and to the back.
    x, y, z = np.moveaxis(nibabel.affines.apply_affine(scan.affine, indices) * (-1, -1, 1), -1, 0)
    mask = (x > 8) & (x < 12) & (abs(y) < 4) & (z > 3) & (z < 9)
    save_mask_as_dicomseg(mask.astype(np.uint8), {1: "kidney_left"}, folder, Path(f"{folder}_seg.dcm"), scan.affine)
    seen[name] = (round(x[mask].mean()), round(middle_of_segmentation(f"{folder}_seg.dcm")))
    print("{:16} mask at x = {} mm, segmentation at x = {} mm".format(name + ":", *seen[name]))
assert seen == {r"1\0\0\0\1\0": (10, 10), r"-1\0\0\0\-1\0": (10, -10)}, seen
EOF
