#!/usr/bin/env bash
# nnU-Net's evaluation gives Dice 0 to a perfect prediction whose file runs along other axes, without a word.
#
# Versions: nnU-Net 2.8.1, SimpleITK 2.5.7, torch 2.13.0, numpy 2.4.6, Python 3.11.
# Input: a reference of two organs; as prediction the same organs, voxel for voxel at the same place in the patient, in
#   a file whose axes run RAS instead of LPS, as nibabel's as_closest_canonical and many tools write it.
# Expected: Dice 1, or a refusal: both headers state their axes. nnUNetv2_evaluate_simple compares the arrays as they
#   are stored and looks at neither direction nor origin; exit status 0, nothing printed.
# Seen:
#   same axes:  Dice 1.0
#   other axes: Dice 0.0, exit status 0, output ''
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip torch==2.13.0 # first, and then held: otherwise another build of it comes along, several times the size
echo torch==2.13.0 > "$work/constraints.txt"
pip --constraint "$work/constraints.txt" nnunetv2==2.8.1 SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
PATH="$work/venv/bin:$PATH" python - <<'EOF'
import json
import os
import subprocess

import numpy as np
import SimpleITK as sitk

array = np.zeros((16, 32, 32), np.uint8)
array[4:8, 4:12, 4:12], array[9:12, 20:28, 3:9] = 1, 2
reference = sitk.GetImageFromArray(array)
turned = sitk.DICOMOrient(reference, "RAS")
back = sitk.Resample(turned, reference, sitk.Transform(), sitk.sitkNearestNeighbor)
assert np.array_equal(sitk.GetArrayFromImage(back), array), "not the same place in the patient"


def dice(name, prediction):
    os.makedirs(f"{name}/reference"), os.makedirs(f"{name}/prediction")
    sitk.WriteImage(reference, f"{name}/reference/case.nii.gz")
    sitk.WriteImage(prediction, f"{name}/prediction/case.nii.gz")
    command = f"nnUNetv2_evaluate_simple {name}/reference {name}/prediction -l 1 2 -np 1"
    said = subprocess.run(command.split(), check=True, capture_output=True, text=True)
    with open(f"{name}/prediction/summary.json") as file:
        return json.load(file)["foreground_mean"]["Dice"], (said.stdout + said.stderr).strip()


(same, _), (other, said) = dice("same", reference), dice("other", turned)
print(f"same axes:  Dice {same}")
print(f"other axes: Dice {other}, exit status 0, output {said!r}")
assert (same, other, said) == (1, 0, "")
EOF
