#!/usr/bin/env bash
# A network of two stages, which nnU-Net plans for small patches, is trained on a loss that is NaN from the first step.
#
# Versions: nnU-Net 2.8.1, torch 2.13.0, SimpleITK 2.5.7, Python 3.11.
# Input: eight scans of 10 x 10 x 10 voxels with a label, planned by nnUNetv2_plan_and_preprocess with its defaults. A patch
#   of so few voxels is halved once, so that the network has two stages and one output.
# Expected: deep supervision with one output is a loss of that output.
# Seen: nnUNetTrainer gives the coarsest output no weight, so that of a single one it is 0, and then divides the weights by
#   their sum: 0 / 0. DeepSupervisionWrapper refuses weights that are all 0, which NaN is not. On a CPU all weights of the
#   network are NaN after one step; on a GPU the scaler skips every step, and the network stays as it was drawn.
#   stages 2, weights of outputs [nan], loss nan
#   finite weights after one step: False
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip torch==2.13.0 # first, and then held: otherwise another build of it comes along, several times the size
echo torch==2.13.0 > "$work/constraints.txt"
pip --constraint "$work/constraints.txt" nnunetv2==2.8.1 SimpleITK==2.5.7
cd "$work"
export PATH="$work/venv/bin:$PATH" nnUNet_raw="$work/raw" nnUNet_preprocessed="$work/preprocessed" nnUNet_results="$work/results"
cat > scans.py <<'END'
import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

folder = Path("raw/Dataset001_Small")
random = np.random.default_rng(0)
for part in ("imagesTr", "labelsTr"):
    (folder / part).mkdir(parents=True)
for number in range(8):
    scan = random.normal(0, 100, (10, 10, 10)).astype(np.float32)
    label = np.zeros(scan.shape, np.uint8)
    label[3:7, 3:7, 3:7] = 1
    sitk.WriteImage(sitk.GetImageFromArray(scan), str(folder / f"imagesTr/case_{number}_0000.nii.gz"))
    sitk.WriteImage(sitk.GetImageFromArray(label), str(folder / f"labelsTr/case_{number}.nii.gz"))
description = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "lesion": 1}, "numTraining": 8}
(folder / "dataset.json").write_text(json.dumps(description | {"file_ending": ".nii.gz"}))
END
cat > train.py <<'END'
import json
import os
from pathlib import Path

import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

os.environ["nnUNet_compile"] = "false"
folder = Path("preprocessed/Dataset001_Small")
plans, dataset = (json.loads((folder / name).read_text()) for name in ("nnUNetPlans.json", "dataset.json"))
torch.manual_seed(0)
trainer = nnUNetTrainer(plans | {"continue_training": False}, "3d_fullres", 0, dataset, torch.device("cpu"))
trainer.initialize()
patch = trainer.configuration_manager.patch_size
data, target = torch.randn(2, 1, *patch), torch.zeros(2, 1, *patch)
target[:, :, 3:6, 3:6, 3:6] = 1
loss = trainer.train_step({"data": data, "target": [target]})["loss"]
stages = trainer.configuration_manager.network_arch_init_kwargs["n_stages"]
weights = [float(weight) for weight in trainer.loss.weight_factors]
finite = all(torch.isfinite(one).all().item() for one in trainer.network.parameters())
print(f"stages {stages}, weights of outputs {weights}, loss {loss}")
print(f"finite weights after one step: {finite}")
assert stages == 2 and len(weights) == 1 and weights[0] != weights[0] and loss != loss and not finite
END
python scans.py 2>/dev/null
nnUNetv2_plan_and_preprocess -d 1 -c 3d_fullres -np 1 -npfp 1 > /dev/null 2>&1
python train.py 2>/dev/null | grep -E '^(stages|finite)'
