#!/usr/bin/env bash
# nnU-Net's augmentation workers all draw the same torch numbers: the batches of all of them are mirrored alike.
#
# Versions: nnU-Net 2.8.1, batchgenerators 0.25.5, batchgeneratorsv2 0.3.6, torch 2.13.0, numpy 2.4.6, Python 3.11.
# Input: the loaders of a training as nnUNetTrainer makes them, with two workers (nnU-Net takes up to 12, one a core)
#   and its own augmentation, on four made-up scans that tell along which axes they were mirrored. Of each worker's
#   second to eighth batch of two: which scans, and mirrored along which of z, y and x, that is 42 tosses of a coin.
# Expected: other draws in each worker. numpy is seeded anew in each; torch is not, as no seeds are given, and a forked
#   process has its parent's state. So what torch draws is the same in the n-th batch of every worker, for the whole
#   training: mirroring, which is looked at here, by the code also noise, and whether each of noise, blur,
#   brightness, contrast, low resolution and gamma is done. What numpy draws (scans, places, angles, strengths) differs.
# Seen:
#   workers with the same scans:     1 of 2
#   workers with the same mirroring: 2 of 2
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip torch==2.13.0 # first, and then held: otherwise another build of it comes along, several times the size
echo torch==2.13.0 > "$work/constraints.txt"
pip --constraint "$work/constraints.txt" \
  nnunetv2==2.8.1 batchgenerators==0.25.5 batchgeneratorsv2==0.3.6 numpy==2.4.6
cd "$work"
cat > workers.py <<'END'
import os

import numpy as np
import torch
from batchgenerators.utilities.file_and_folder_operations import save_json
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

WORKERS, BATCHES = 2, 8
folder = "preprocessed/Dataset001_Tiny"
dataset = {
    "channel_names": {"0": "CT", "1": "CT", "2": "CT"}, "labels": {"background": 0, "organ": 1}, "numTraining": 4,
    "file_ending": ".nii.gz",
}
network = {
    "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
    "arch_kwargs": {
        "n_stages": 3, "features_per_stage": [4, 8, 16], "conv_op": "torch.nn.modules.conv.Conv3d",
        "kernel_sizes": [[3] * 3] * 3, "strides": [[1] * 3, [2] * 3, [2] * 3], "n_conv_per_stage": [1] * 3,
        "n_conv_per_stage_decoder": [1] * 2, "conv_bias": True,
        "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d", "norm_op_kwargs": {"eps": 1e-5, "affine": True},
        "dropout_op": None, "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": {"inplace": True},
    },
    "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
}
configuration = {
    "data_identifier": "3d", "preprocessor_name": "DefaultPreprocessor", "batch_size": 2, "patch_size": [16] * 3,
    "spacing": [1.0] * 3, "normalization_schemes": ["CTNormalization"] * 3, "use_mask_for_norm": [False] * 3,
    "architecture": network, "batch_dice": False,
}
plans = {
    "dataset_name": "Dataset001_Tiny", "plans_name": "nnUNetPlans", "configurations": {"3d_fullres": configuration},
    "label_manager": "LabelManager", "image_reader_writer": "SimpleITKIO", "continue_training": False,
    "transpose_forward": [0, 1, 2], "transpose_backward": [0, 1, 2],
}

# Each batch notes which worker made it, and its number there.
make = nnUNetDataLoader.generate_train_batch


def noted(self):
    self.made = getattr(self, "made", 0) + 1
    return make(self) | {"worker": os.getpid(), "number": self.made}


def write_scans():
    """Three channels, of which each rises along one axis; an organ in the middle."""
    ramps, labels = (np.indices((40, 40, 40)) / 19.5 - 1).astype(np.float32), np.zeros((1, 40, 40, 40), np.int16)
    labels[:, 15:25, 15:25, 15:25] = 1
    os.makedirs(f"{folder}/3d")
    for number in range(4):
        properties = {"class_locations": {1: np.argwhere(labels)}}
        nnUNetDatasetBlosc2.save_case(ramps, labels, properties, f"{folder}/3d/{number}")
    save_json([{"train": list("0123"), "val": ["0"]}], f"{folder}/splits_final.json")


def mirrored(patch):
    """The axes along which the middle of a patch falls."""
    middle = patch[:, 4:12, 4:12, 4:12]
    falls = [middle[axis].narrow(axis, 5, 3).mean() < middle[axis].narrow(axis, 0, 3).mean() for axis in range(3)]
    return "".join(name for name, is_falling in zip("zyx", falls) if is_falling)


def alike(of_workers):
    """How many workers have the same; the first batch of all went into nnU-Net's trial of its loaders."""
    rows = [[one[number] for number in range(2, BATCHES + 1)] for one in of_workers.values()]
    return max(rows.count(row) for row in rows)


if __name__ == "__main__":
    write_scans()
    nnUNetDataLoader.generate_train_batch = noted
    trainer = nnUNetTrainer(plans, "3d_fullres", 0, dataset, torch.device("cpu"))
    trainer.initialize()
    training, validation = trainer.get_dataloaders()
    scans, mirrorings = {}, {}
    while len(scans) < WORKERS or any(max(one) < BATCHES for one in scans.values()):
        batch = next(training)
        scans.setdefault(batch["worker"], {})[batch["number"]] = list(batch["keys"])
        mirrorings.setdefault(batch["worker"], {})[batch["number"]] = list(map(mirrored, batch["data"]))
    training._finish(), validation._finish()
    print(f"workers with the same scans:     {alike(scans)} of {WORKERS}")
    print(f"workers with the same mirroring: {alike(mirrorings)} of {WORKERS}")
    assert (alike(scans), alike(mirrorings)) == (1, WORKERS)
END
mkdir preprocessed raw results
nnUNet_preprocessed=preprocessed nnUNet_raw=raw nnUNet_results=results nnUNet_n_proc_DA=2 nnUNet_compile=f \
  OMP_NUM_THREADS=1 venv/bin/python workers.py > log 2>&1 || { cat log; exit 1; }
grep '^workers' log
