#!/usr/bin/env bash
# SimpleITK reads a whole DICOM series in the voxel type of its first slice: air of a later slice becomes 64536 HU.
#
# Versions: SimpleITK 2.5.7, pydicom 3.0.2, numpy 2.4.6, Python 3.11.
# Input: three CT slices, stored unsigned; the lowest holds its values as they are (intercept 0), the others are
#   stored with intercept -1024. A rescale of its own for each slice is what the CT image format provides for.
# Expected: a type that holds all slices, or an error. The type is the first slice's, unsigned 16 bit, and the others'
#   -1000 HU wrap round. Read one by one every slice is right; asked for float, the series is right as well.
# Seen:
#   slices one by one:  [24, -1000, -1000]
#   series:             [24, 64536, 64536] (16-bit unsigned integer)
#   series, as float:   [24, -1000, -1000]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check SimpleITK==2.5.7 pydicom==3.0.2 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

study, series, frame = generate_uid(), generate_uid(), generate_uid()
paths = []
for number, intercept in enumerate((0, -1024, -1024)):
    ct = pydicom.Dataset()
    ct.file_meta = pydicom.dataset.FileMetaDataset()
    ct.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ct.SOPClassUID, ct.SOPInstanceUID = CTImageStorage, generate_uid()
    ct.StudyInstanceUID, ct.SeriesInstanceUID, ct.FrameOfReferenceUID = study, series, frame
    ct.Modality, ct.InstanceNumber, ct.ImageType = "CT", number + 1, ["ORIGINAL", "PRIMARY", "AXIAL"]
    ct.ImagePositionPatient, ct.ImageOrientationPatient = [0, 0, number], [1, 0, 0, 0, 1, 0]
    ct.PixelSpacing, ct.SliceThickness, ct.Rows, ct.Columns = [1, 1], 1, 8, 8
    ct.SamplesPerPixel, ct.PhotometricInterpretation, ct.PixelRepresentation = 1, "MONOCHROME2", 0
    ct.BitsAllocated, ct.BitsStored, ct.HighBit = 16, 16, 15
    ct.RescaleSlope, ct.RescaleIntercept = 1, intercept
    ct.PixelData = np.full((8, 8), 24, "<u2").tobytes()
    paths.append(f"{number}.dcm")
    ct.save_as(paths[-1], enforce_file_format=True)


def values(image):
    return [int(value) for value in sitk.GetArrayFromImage(image)[:, 0, 0]]


alone = [values(sitk.ReadImage(path))[0] for path in paths]
together = sitk.ReadImage(paths)
as_float = values(sitk.ReadImage(paths, sitk.sitkFloat32))
print("slices one by one: ", alone)
print("series:            ", values(together), f"({together.GetPixelIDTypeAsString()})")
print("series, as float:  ", as_float)
assert alone == as_float == [24, -1000, -1000] and values(together) == [24, 64536, 64536]
EOF
