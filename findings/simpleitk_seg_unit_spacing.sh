#!/usr/bin/env bash
# SimpleITK opens a DICOM segmentation as one pile of all organs' frames, on voxels of 1 x 1 x 1 mm, without a warning.
#
# Versions: SimpleITK 2.5.7, highdicom 0.28.2 (writes the file), pydicom 3.0.2, numpy 2.4.6, Python 3.11.
# Input: a CT of 20 slices, 0.75 x 1.5 x 2.5 mm; a binary segmentation of it with a liver on slices 6 to 10 and a spleen
#   on slices 9 to 14. Spacing and the position of each frame are in the file.
# Expected: a label map of 20 slices in the CT's spacing, or a refusal. Instead 5 + 6 frames lie on top of one another,
#   both organs are 255, the spacing is lost, and the origin is that of one frame.
# Seen:
#   voxels (32, 32, 11), spacing (1.0, 1.0, 1.0), origin (0.0, 0.0, 25.0), values [0, 255]
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
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

study, series, frame = generate_uid(), generate_uid(), generate_uid()
slices = []
for number in range(20):
    ct = pydicom.Dataset()
    ct.file_meta = pydicom.dataset.FileMetaDataset()
    ct.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ct.SOPClassUID, ct.SOPInstanceUID = CTImageStorage, generate_uid()
    ct.StudyInstanceUID, ct.SeriesInstanceUID, ct.FrameOfReferenceUID = study, series, frame
    ct.PatientName, ct.PatientID, ct.PatientBirthDate, ct.PatientSex = "Made^Up", "1", "", "O"
    ct.StudyID, ct.StudyDate, ct.StudyTime, ct.AccessionNumber = "1", "20200101", "000000", ""
    ct.ReferringPhysicianName = ct.PositionReferenceIndicator = ""
    ct.Modality, ct.SeriesNumber, ct.InstanceNumber = "CT", 1, number + 1
    ct.ImagePositionPatient, ct.ImageOrientationPatient = [0, 0, 2.5 * number], [1, 0, 0, 0, 1, 0]
    ct.PixelSpacing, ct.SliceThickness, ct.Rows, ct.Columns = [1.5, 0.75], 2.5, 32, 32
    slices.append(ct)
mask = np.zeros((20, 32, 32), np.uint8)
mask[6:11, 10:14, 10:14], mask[9:15, 20:24, 20:24] = 1, 2
organs = [(1, "liver", codes.SCT.Liver), (2, "spleen", codes.SCT.Spleen)]
manual = highdicom.seg.SegmentAlgorithmTypeValues.MANUAL
described = [highdicom.seg.SegmentDescription(n, name, codes.SCT.Organ, code, manual) for n, name, code in organs]
binary = highdicom.seg.SegmentationTypeValues.BINARY
made_by = dict(manufacturer="m", manufacturer_model_name="m", software_versions="1", device_serial_number="1")
highdicom.seg.Segmentation(
    slices, mask, binary, described, generate_uid(), 2, generate_uid(), 1, **made_by
).save_as("seg.dcm")

image = sitk.ReadImage("seg.dcm")
values = np.unique(sitk.GetArrayFromImage(image)).tolist()
print(f"voxels {image.GetSize()}, spacing {image.GetSpacing()}, origin {image.GetOrigin()}, values {values}")
assert (image.GetSize(), image.GetSpacing(), values) == ((32, 32, 11), (1, 1, 1), [0, 255])
EOF
