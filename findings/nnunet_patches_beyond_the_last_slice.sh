#!/usr/bin/env bash
# nnU-Net's foreground patches run over the last slice, row and column of a scan, half empty, but never over the first.
#
# Versions: nnU-Net 2.8.1, torch 2.13.0, numpy 2.4.6, Python 3.11.
# Input: a scan of 100 slices with an organ in its lowest four, and the same scan upside down; patches of 32 slices
#   drawn by nnU-Net's loader for that organ (oversample_foreground_percent: half of a training with batches of two).
# Expected: the same patches, upside down: all inside of the scan, which is three times as long. nnUNetDataLoader holds
#   the patch around the drawn voxel to the lower bound alone: what lies beyond the last slice is filled with zeros, that
#   is mean intensity, and labelled background. Patches that are drawn anywhere, and the windows of a prediction, lie
#   inside.
# Seen, slices of 32 that lie outside of the scan:
#   organ in the first slices: 0.0 on average, 0 at most
#   organ in the last slices:  13.4 on average, 15 at most
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip torch==2.13.0 # first, and then held: otherwise another build of it comes along, several times the size
echo torch==2.13.0 > "$work/constraints.txt"
pip --constraint "$work/constraints.txt" nnunetv2==2.8.1 numpy==2.4.6
cd "$work"
cat > patches.py <<'END'
import numpy as np
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.utilities.label_handling.label_handling import LabelManager

PATCH = (32, 32, 32)


class Scan:
    """A dataset of one case."""

    identifiers = ["case"]

    def __init__(self, labels):
        self.labels = labels[None]

    def load_case(self, _):
        places = {1: np.argwhere(self.labels)}
        return np.ones(self.labels.shape, np.float32), self.labels, None, {"class_locations": places}


def outside(labels):
    np.random.seed(0)
    names = LabelManager({"background": 0, "organ": 1}, None)
    loader = nnUNetDataLoader(Scan(labels), 200, PATCH, PATCH, names, oversample_foreground_percent=1)
    slices = [(one[0].amax((1, 2)) == 0).sum().item() for one in next(loader)["data"]]
    return np.mean(slices), max(slices)


labels = np.zeros((100, 64, 64), np.int16)
labels[:4, 28:36, 28:36] = 1
first, last = outside(labels), outside(labels[::-1].copy())
print("organ in the first slices: {:.1f} on average, {} at most".format(*first))
print("organ in the last slices:  {:.1f} on average, {} at most".format(*last))
assert first == (0, 0) and last[0] > 10 and last[1] == 15
END
nnUNet_preprocessed=. nnUNet_raw=. nnUNet_results=. venv/bin/python patches.py
