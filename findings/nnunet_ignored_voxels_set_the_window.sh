#!/usr/bin/env bash
# nnU-Net takes the CT window from the voxels that it is told to ignore: an organ of 60 HU is windowed by air.
#
# Versions: nnU-Net 2.8.1, SimpleITK 2.5.7, torch 2.13.0, numpy 2.4.6, Python 3.11.
# Input: two scans of an organ of 60 HU (10 HU of noise) in a body in air, as two datasets: labelled throughout; and, as
#   where time was short, labelled in 2 of 20 slices, the rest drawn with nnU-Net's `ignore`.
# Expected: about the same intensities from both, since ignored voxels count neither in the loss nor in the scores. Of
#   them nnUNetv2_extract_fingerprint makes mean, deviation and the 0.5 % and 99.5 % that a CT is cut at, which every
#   scan of the model is then normalised with. It counts all labels above 0 as foreground, and `ignore` is the highest.
# Seen:
#   labelled throughout: mean 59, deviation 10, cut at 34 and 85 HU
#   labelled in part:    mean -630, deviation 487, cut at -1000 and 73 HU
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip torch==2.13.0 # first, and then held: otherwise another build of it comes along, several times the size
echo torch==2.13.0 > "$work/constraints.txt"
pip --constraint "$work/constraints.txt" nnunetv2==2.8.1 SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
export PATH="$work/venv/bin:$PATH" nnUNet_preprocessed=preprocessed nnUNet_raw=raw nnUNet_results=results
export OMP_NUM_THREADS=1
python - <<'EOF'
import json
import os

import numpy as np
import SimpleITK as sitk

LABELS = {"background": 0, "organ": 1}
random = np.random.default_rng(0)
for name, labels in (("Dataset001_Throughout", LABELS), ("Dataset002_InPart", LABELS | {"ignore": 2})):
    os.makedirs(f"raw/{name}/imagesTr"), os.makedirs(f"raw/{name}/labelsTr")
    for case in "ab":
        scan = np.full((20, 40, 40), -1000)
        scan[:, 8:32, 8:32] = 0
        drawn = np.zeros(scan.shape, np.uint8)
        drawn[4:16, 14:26, 14:26] = 1
        scan[drawn == 1] = random.normal(60, 10, (drawn == 1).sum())
        if "ignore" in labels:
            drawn[:9], drawn[11:] = 2, 2
        sitk.WriteImage(sitk.GetImageFromArray(scan.astype(np.int16)), f"raw/{name}/imagesTr/{case}_0000.nii.gz")
        sitk.WriteImage(sitk.GetImageFromArray(drawn), f"raw/{name}/labelsTr/{case}.nii.gz")
    described = {"channel_names": {"0": "CT"}, "labels": labels, "numTraining": 2, "file_ending": ".nii.gz"}
    with open(f"raw/{name}/dataset.json", "w") as file:
        json.dump(described, file)
EOF
nnUNetv2_extract_fingerprint -d 1 2 -np 1 > log 2>&1 || { cat log; exit 1; }
python - <<'EOF'
import json

seen = []
for title, name in (("throughout", "Dataset001_Throughout"), ("in part", "Dataset002_InPart")):
    with open(f"preprocessed/{name}/dataset_fingerprint.json") as file:
        found = json.load(file)["foreground_intensity_properties_per_channel"]["0"]
    seen.append([round(found[key]) for key in ("mean", "std", "percentile_00_5", "percentile_99_5")])
    print("labelled {:12}mean {}, deviation {}, cut at {} and {} HU".format(title + ":", *seen[-1]))
(mean, deviation, low, high), (mean_in_part, deviation_in_part, low_in_part, _) = seen
assert (mean, deviation) == (59, 10) and 30 < low < high < 90, seen
assert mean_in_part < -500 and deviation_in_part > 400 and low_in_part == -1000, seen
EOF
