#!/usr/bin/env bash
# nnU-Net with batches of one patch never aims at an organ, and half of the time with batches of two, for its 33 %.
#
# Versions: nnU-Net 2.8.1, torch 2.13.0, numpy 2.4.6, Python 3.11.
# Input: nnU-Net's loader with the trainer's own share of foreground patches, 0.33, and batches of 1 to 5, as
#   `batch_size` in the plans has them (1 is what large patches leave room for); a scan of 32 x 32 x 32 voxels with a small organ in
#   a corner, and patches of 8 x 8 x 8; 60 patches each.
# Expected: a third of the patches holds the organ for sure, or at least one of each batch, as its authors have it. The
#   share is rounded to whole patches of a batch: none of 1, 1 of 2, 1 of 3, 1 of 4, 2 of 5, and no message says so.
# Seen, patches that were aimed at the organ:
#   batches of 1: 0 %
#   batches of 2: 50 %
#   batches of 3: 33 %
#   batches of 4: 25 %
#   batches of 5: 40 %
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip torch==2.13.0 # first, and then held: otherwise another build of it comes along, several times the size
echo torch==2.13.0 > "$work/constraints.txt"
pip --constraint "$work/constraints.txt" nnunetv2==2.8.1 numpy==2.4.6
cd "$work"
cat > share.py <<'END_OF_FILE'
import inspect
import re

import numpy as np
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.label_handling.label_handling import LabelManager

PATCH = (8, 8, 8)
SHARE = float(re.search(r"oversample_foreground_percent = ([\d.]+)", inspect.getsource(nnUNetTrainer.__init__))[1])


class Scan:
    """A dataset of one case, with a small organ in a corner."""

    identifiers = ["case"]
    labels = np.zeros((1, 32, 32, 32), np.int16)
    labels[:, 2:4, 2:4, 2:4] = 1

    def load_case(self, _):
        places = {1: np.argwhere(self.labels)}
        return np.ones(self.labels.shape, np.float32), self.labels, None, {"class_locations": places}


class Loader(nnUNetDataLoader):
    """Notes whether a patch was to be one with an organ in it."""

    def get_bbox(self, shape, force_fg, *rest):
        aimed.append(force_fg)
        return super().get_bbox(shape, force_fg, *rest)


seen = {}
for size in (1, 2, 3, 4, 5):
    aimed, with_organ = [], 0
    names = LabelManager({"background": 0, "organ": 1}, None)
    loader = Loader(Scan(), size, PATCH, PATCH, names, oversample_foreground_percent=SHARE)
    for _ in range(60 // size):
        with_organ += (next(loader)["target"] == 1).flatten(1).any(1).sum().item()
    seen[size] = round(100 * np.mean(aimed))
    assert with_organ >= sum(aimed), "aimed at the organ and missed it"
    print(f"batches of {size}: {seen[size]} %")
assert SHARE == 0.33 and seen == {1: 0, 2: 50, 3: 33, 4: 25, 5: 40}, (SHARE, seen)
END_OF_FILE
nnUNet_preprocessed=. nnUNet_raw=. nnUNet_results=. venv/bin/python share.py
