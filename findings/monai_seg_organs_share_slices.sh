#!/usr/bin/env bash
# MONAI lays the organs of a DICOM segmentation on the same slices, wherever in the body they lie, without a warning.
#
# Versions: MONAI 1.6.1, highdicom 0.28.2 (writes the file), pydicom 3.0.2, torch 2.13.0, numpy 2.4.6, Python 3.11.
# Input: a CT of 20 slices of 2.5 mm; a binary segmentation of it with a liver from 5 to 15 mm and a spleen from 30 to
#   40 mm, five slices each. Slices without an organ are left out, as the standard allows and most writers do; each
#   frame has its position.
# Expected: both organs at their places, or a refusal. PydicomReader stacks the frames of each organ from slice 0 on and
#   spreads them over the way from the first frame of the file to its last: liver and spleen lie on one another, both at
#   a wrong height, each slice 3.75 mm thick. It refuses only organs of unlike numbers of frames.
# Seen, slices with the organ:
#   liver:  at 15, 18.75, 22.5, 26.25, 30 mm, drawn at 5, 7.5, 10, 12.5, 15 mm
#   spleen: at 15, 18.75, 22.5, 26.25, 30 mm, drawn at 30, 32.5, 35, 37.5, 40 mm
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip torch==2.13.0 # first, and then held: otherwise another build of it comes along, several times the size
echo torch==2.13.0 > "$work/constraints.txt"
pip --constraint "$work/constraints.txt" monai==1.6.1 highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6
cd "$work"
venv/bin/python - 2>warnings <<'EOF' || { cat warnings; exit 1; }
import highdicom
import numpy as np
import pydicom
from monai.data import PydicomReader
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
    ct.PixelSpacing, ct.SliceThickness, ct.Rows, ct.Columns = [1, 1], 2.5, 32, 32
    slices.append(ct)
mask = np.zeros((20, 32, 32), np.uint8)
mask[2:7, 10:14, 10:14], mask[12:17, 20:24, 20:24] = 1, 2
organs = [(1, "liver", codes.SCT.Liver), (2, "spleen", codes.SCT.Spleen)]
manual = highdicom.seg.SegmentAlgorithmTypeValues.MANUAL
described = [highdicom.seg.SegmentDescription(n, name, codes.SCT.Organ, code, manual) for n, name, code in organs]
binary = highdicom.seg.SegmentationTypeValues.BINARY
made_by = dict(manufacturer="m", manufacturer_model_name="m", software_versions="1", device_serial_number="1")
highdicom.seg.Segmentation(
    slices, mask, binary, described, generate_uid(), 2, generate_uid(), 1, **made_by
).save_as("seg.dcm")

reader = PydicomReader()
voxels, described = reader.get_data(reader.read("seg.dcm"))
found = {}
for label, name, _ in organs:
    layer = np.nonzero(voxels[..., described["labels"][name]].any(axis=(0, 1)))[0]
    found[name] = sorted((described["affine"] @ (0, 0, index, 1))[2].item() for index in layer)
    drawn = [2.5 * index.item() for index in np.nonzero((mask == label).any(axis=(1, 2)))[0]]
    seen, right = (", ".join(f"{height:g}" for height in heights) for heights in (found[name], drawn))
    print(f"{name + ':':7} at {seen} mm, drawn at {right} mm")
assert found["liver"] == found["spleen"] == [15, 18.75, 22.5, 26.25, 30], found
EOF
[ ! -s "$work/warnings" ]
