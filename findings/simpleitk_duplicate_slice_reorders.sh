#!/usr/bin/env bash
# One slice that lies twice in a folder makes SimpleITK stack the whole series by file name instead of position.
#
# Versions: SimpleITK 2.5.7 (GDCM inside), pydicom 3.0.2, numpy 2.4.6, Python 3.11.
# Input: five CT slices 2 mm apart, of value 0 to 4 from below, whose file names say nothing about their order; then
#   the same folder with the top slice exported a second time under another name. Every file is valid.
# Expected: the copy is left out, refused, or put beside its twin. Instead all slices are in the order of the names, and
#   the spacing follows from the first and the last. No error; a warning of non-uniform sampling is all there is.
# Seen:
#   without the copy: [0, 1, 2, 3, 4], 2 mm, z = 0
#   with the copy:    [1, 3, 2, 0, 4, 4], 1.2 mm, z = 2
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check SimpleITK==2.5.7 pydicom==3.0.2 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import os
import shutil

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

study, series, frame = generate_uid(), generate_uid(), generate_uid()
os.mkdir("series")
for number, name in enumerate("dacbe"):
    ct = pydicom.Dataset()
    ct.file_meta = pydicom.dataset.FileMetaDataset()
    ct.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ct.SOPClassUID, ct.SOPInstanceUID = CTImageStorage, generate_uid()
    ct.StudyInstanceUID, ct.SeriesInstanceUID, ct.FrameOfReferenceUID = study, series, frame
    ct.Modality, ct.InstanceNumber, ct.ImageType = "CT", number + 1, ["ORIGINAL", "PRIMARY", "AXIAL"]
    ct.ImagePositionPatient, ct.ImageOrientationPatient = [0, 0, 2 * number], [1, 0, 0, 0, 1, 0]
    ct.PixelSpacing, ct.SliceThickness, ct.Rows, ct.Columns = [1, 1], 2, 8, 8
    ct.SamplesPerPixel, ct.PhotometricInterpretation, ct.PixelRepresentation = 1, "MONOCHROME2", 0
    ct.BitsAllocated, ct.BitsStored, ct.HighBit = 16, 16, 15
    ct.RescaleSlope, ct.RescaleIntercept = 1, 0
    ct.PixelData = np.full((8, 8), number, "<u2").tobytes()
    ct.save_as(f"series/{name}.dcm", enforce_file_format=True)


def stack():
    image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames("series"))
    order = [int(value) for value in sitk.GetArrayFromImage(image)[:, 0, 0]]
    return order, round(image.GetSpacing()[2], 6), image.GetOrigin()[2]


plain = stack()
shutil.copy("series/e.dcm", "series/f.dcm")
doubled = stack()
print("without the copy: {}, {:g} mm, z = {:g}".format(*plain))
print("with the copy:    {}, {:g} mm, z = {:g}".format(*doubled))
assert plain == ([0, 1, 2, 3, 4], 2, 0) and doubled == ([1, 3, 2, 0, 4, 4], 1.2, 2), doubled
EOF
