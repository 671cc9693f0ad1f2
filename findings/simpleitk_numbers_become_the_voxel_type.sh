#!/usr/bin/env bash
# SimpleITK turns a number into the image's own voxel type first: in uint8, `labels < 0.5` is nowhere, `* 0.5` is 0.
#
# Versions: SimpleITK 2.5.7, numpy 2.4.6, Python 3.11.
# Input: a label map (uint8) with 600 voxels of background, 300 of organ 1 and 100 of organ 2; a CT as whole numbers of
#   16 bits, half of it air of -1000 HU, half of 60 HU.
# Expected: what the numbers say, as numpy has it, or an error. A number is cut to the voxel type, fractions and upper
#   bits lost, and then compared, without a word: 0.5 is 0, 1.5 is 1, -1 is 255, 40000 is -25536. A threshold halfway
#   between two labels takes in the lower one, even background, a limit that all voxels keep finds none, and half of two
#   readers' sum is 0, while the same sum divided by two is right.
# Seen, voxels by SimpleITK, by numpy:
#   labels < 0.5:                        0, 600
#   labels == 1.5:                       300, 0
#   labels > -1:                         0, 1000
#   BinaryThreshold(labels, 0.5, 1.5):   900, 300
#   (labels + labels) * 0.5 > 0:         0, 400
#   (labels + labels) / 2 > 0:           400, 400
#   ct < 40000:                          0, 1000
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check SimpleITK==2.5.7 numpy==2.4.6
"$work/venv/bin/python" - 2>"$work/log" <<'PY' || { cat "$work/log"; exit 1; }
import numpy as np
import SimpleITK as sitk

labels = np.repeat([0, 1, 2], [600, 300, 100]).astype(np.uint8).reshape(10, 10, 10)
ct = np.repeat([-1000, 60], [500, 500]).astype(np.int16).reshape(10, 10, 10)
images = {"labels": sitk.GetImageFromArray(labels), "ct": sitk.GetImageFromArray(ct)}
arrays = {"labels": labels.astype(float), "ct": ct.astype(float)}


def threshold(voxels, lower, upper):
    """The voxels from `lower` to `upper`, both included."""
    if isinstance(voxels, sitk.Image):
        return sitk.BinaryThreshold(voxels, lower, upper)
    return (voxels >= lower) & (voxels <= upper)


seen = {}
for text in (
    "labels < 0.5",
    "labels == 1.5",
    "labels > -1",
    "BinaryThreshold(labels, 0.5, 1.5)",
    "(labels + labels) * 0.5 > 0",
    "(labels + labels) / 2 > 0",
    "ct < 40000",
):
    by_sitk = eval(text, {"BinaryThreshold": threshold, **images})
    by_numpy = eval(text, {"BinaryThreshold": threshold, **arrays})
    seen[text] = (np.count_nonzero(sitk.GetArrayViewFromImage(by_sitk)), np.count_nonzero(by_numpy))
    print(f"{text + ':':36}", "{}, {}".format(*seen[text]))
assert list(seen.values()) == [
    (0, 600),
    (300, 0),
    (0, 1000),
    (900, 300),
    (0, 400),
    (400, 400),
    (0, 1000),
], seen
PY
[ ! -s "$work/log" ] || { cat "$work/log"; exit 1; }
