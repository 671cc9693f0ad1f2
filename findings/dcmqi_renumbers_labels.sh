#!/usr/bin/env bash
# dcmqi gives every label another number on the way to DICOM and back, and the same organ another one in each patient.
#
# Versions: dcmqi 1.5.7, SimpleITK 2.5.7, numpy 2.4.6, Python 3.11.
# Input: a label map with liver 5, spleen 17, stomach 11, described by a dcmqi metadata file with just these labelIDs;
#   and one without a stomach. Round trip: itkimage2segimage, then segimage2itkimage --mergeSegments.
# Expected: the labelIDs of the metadata file. Instead segments are numbered 1, 2, 3 ... by the rank of their labels
#   among those that occur, and these numbers come back. A table made for one patient swaps organs in the next.
# Seen:
#   {'Liver': 1, 'Stomach': 2, 'Spleen': 3}
#   {'Liver': 1, 'Spleen': 2}
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check dcmqi==1.5.7 SimpleITK==2.5.7 numpy==2.4.6
cd "$work" && mkdir ct
PATH="$work/venv/bin:$PATH" python - <<'EOF'
import json
import subprocess
from pathlib import Path
import numpy as np
import SimpleITK as sitk

writer = sitk.ImageFileWriter()
writer.KeepOriginalImageUIDOn()
for number in range(12):
    ct = sitk.Image(16, 16, 1, sitk.sitkInt16)
    tags = {"0008|0016": "1.2.840.10008.5.1.4.1.1.2", "0008|0018": f"2.25.3{number}", "0008|0060": "CT"}
    tags |= {"0020|000d": "2.25.1", "0020|000e": "2.25.2", "0020|0013": f"{number + 1}", "0018|0050": "1"}
    tags |= {"0020|0032": f"0\\0\\{number}", "0020|0037": "1\\0\\0\\0\\1\\0", "0020|0052": "2.25.4"}
    for key, value in tags.items():
        ct.SetMetaData(key, value)
    writer.Execute(ct, f"ct/{number}.dcm", False, -1)

def code(meaning, value):
    return {"CodeValue": value, "CodingSchemeDesignator": "SCT", "CodeMeaning": meaning}

def round_trip(organs):
    array, segments = np.zeros((12, 16, 16), np.uint8), []
    for place, (label, *organ) in enumerate(organs):
        array[3 * place : 3 * place + 3, 4:8, 4:8] = label
        segments.append({"labelID": label, "SegmentLabel": organ[0], "SegmentAlgorithmType": "MANUAL"})
        segments[-1]["SegmentedPropertyCategoryCodeSequence"] = code("Anatomical Structure", "123037004")
        segments[-1]["SegmentedPropertyTypeCodeSequence"] = code(*organ)
    sitk.WriteImage(sitk.GetImageFromArray(array), "in.nii")
    Path("in.json").write_text(json.dumps({"SeriesDescription": "made up", "segmentAttributes": [segments]}))
    there = "itkimage2segimage --inputImageList in.nii --inputMetadata in.json --inputDICOMDirectory ct --outputDICOM s"
    back = "segimage2itkimage --inputDICOM s --outputDirectory . -t nii -p out --mergeSegments"
    for command in (there, back):
        subprocess.run(command.split(), check=True, stdout=subprocess.DEVNULL)
    written = json.loads(Path("out-meta.json").read_text())["segmentAttributes"][0]
    return {segment["SegmentLabel"]: segment["labelID"] for segment in written}

organs = [(5, "Liver", "10200004"), (17, "Spleen", "78961009"), (11, "Stomach", "69695003")]
seen = [round_trip(organs), round_trip(organs[:2])]
print(*seen, sep="\n")
assert seen == [{"Liver": 1, "Stomach": 2, "Spleen": 3}, {"Liver": 1, "Spleen": 2}]
assert set(np.unique(sitk.GetArrayFromImage(sitk.ReadImage("out-1.nii.gz")))) == {0, 1, 2}
EOF
