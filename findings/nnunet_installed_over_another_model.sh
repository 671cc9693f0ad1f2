#!/usr/bin/env bash
# A model that is installed over another of the same name labels with the other one's weights, by its own plans.
#
# Versions: nnU-Net 2.8.1, torch 2.13.0, numpy 2.4.6, Python 3.11.
# Input: two models of one dataset, trainer and plans' name, as two groups train them on one public dataset: the first has
#   two folds and finds the organ everywhere, the second is trained on all cases (fold `all`), on a coarser grid, and finds
#   it nowhere. Both are exported by nnUNetv2_export_model_to_zip and installed one after the other, by
#   nnUNetv2_install_pretrained_model_from_zip; then a scan is labelled.
# Expected: the second one replaces the first, as the help of the command's sibling for URLs says ("will overwrite
#   existing models"), or the command asks. It unpacks over what is there: plans.json and dataset.json are the second's,
#   folds that the second does not have stay, and nnU-Net labels with them wherever folds are named or found by number.
# Seen:
#   spacing of plans.json, first model:  [1.0, 1.0, 1.0]
#   spacing of plans.json, now:          [2.0, 2.0, 2.0]
#   folds now: fold_0 fold_1 fold_all
#   nnUNetv2_predict -f 0 1: exit status 0, the organ in 1.00 of the voxels
#   nnUNetv2_predict -f all: exit status 0, the organ in 0.00 of the voxels
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
pip() { "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip torch==2.13.0 # first, and then held: otherwise another build of it comes along, several times the size
echo torch==2.13.0 > "$work/constraints.txt"
pip --constraint "$work/constraints.txt" nnunetv2==2.8.1 numpy==2.4.6
cd "$work"
cat > train.py <<'END'
"""A model as nnU-Net saves it, that finds the organ everywhere or nowhere: train.py GROUP MM BIAS FOLD..."""
import json
import sys
from pathlib import Path

import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

group, mm, bias, *folds = sys.argv[1:]

architecture = {
    "n_stages": 3, "features_per_stage": [4, 8, 16], "kernel_sizes": [[3] * 3] * 3, "strides": [[1] * 3, [2] * 3, [2] * 3],
    "n_conv_per_stage": [1] * 3, "n_conv_per_stage_decoder": [1] * 2, "conv_bias": True,
    "conv_op": "torch.nn.modules.conv.Conv3d", "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
    "norm_op_kwargs": {"affine": True, "eps": 1e-5}, "dropout_op": None, "dropout_op_kwargs": None,
    "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": {"inplace": True},
}
resampling = "resample_data_or_seg_to_shape"
linear = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
configuration = {
    "data_identifier": "nnUNetPlans_3d_fullres", "preprocessor_name": "DefaultPreprocessor", "batch_size": 2,
    "patch_size": [16] * 3, "spacing": [float(mm)] * 3, "normalization_schemes": ["CTNormalization"],
    "use_mask_for_norm": [False], "batch_dice": False, "architecture": {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": architecture, "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    },
    **{f"resampling_fn_{of}": resampling for of in ("data", "seg", "probabilities")},
    **{f"resampling_fn_{of}_kwargs": linear for of in ("data", "seg", "probabilities")},
}
window = {"mean": 0.0, "std": 100.0, "percentile_00_5": -500.0, "percentile_99_5": 500.0}
plans = {
    "dataset_name": "Dataset001_Organ", "plans_name": "nnUNetPlans", "image_reader_writer": "SimpleITKIO",
    "transpose_forward": [0, 1, 2], "transpose_backward": [0, 1, 2], "configurations": {"3d_fullres": configuration},
    "foreground_intensity_properties_per_channel": {"0": window},
}
dataset = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "organ": 1}, "file_ending": ".nii.gz", "numTraining": 2}
manager = PlansManager(plans)
network = nnUNetTrainer.build_network_architecture(manager, manager.get_configuration("3d_fullres"), 1, 2, False)
with torch.no_grad():
    network.decoder.seg_layers[-1].weight.zero_()
    network.decoder.seg_layers[-1].bias.copy_(torch.tensor([0, float(bias)]))
model = Path(group, "Dataset001_Organ/nnUNetTrainer__nnUNetPlans__3d_fullres")
for fold in folds:
    (model / f"fold_{fold}/validation").mkdir(parents=True)
    contents = {
        "network_weights": network.state_dict(), "trainer_name": "nnUNetTrainer", "inference_allowed_mirroring_axes": None,
        "init_args": {"configuration": "3d_fullres", "fold": fold},
    }
    torch.save(contents, model / f"fold_{fold}/checkpoint_final.pth")
    (model / f"fold_{fold}/validation/summary.json").write_text("{}")
    (model / f"fold_{fold}/progress.png").touch()
for name, content in (("plans", plans), ("dataset", dataset), ("dataset_fingerprint", {})):
    (model / f"{name}.json").write_text(json.dumps(content))
END
cat > label.py <<'END'
import sys

import numpy as np
import SimpleITK as sitk

if sys.argv[1] == "write":
    voxels = np.random.default_rng(0).normal(0, 100, (24, 24, 24)).astype(np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(voxels), sys.argv[2])
else:
    print(f"{sitk.GetArrayFromImage(sitk.ReadImage(sys.argv[2])).mean():.2f}")
END
export PATH="$work/venv/bin:$PATH" nnUNet_compile=f
mkdir -p scans
python label.py write scans/case_0000.nii.gz
as() { export nnUNet_raw=$work/$1 nnUNet_preprocessed=$work/$1 nnUNet_results=$work/$1; }
train_and_export() {
  as "$1"
  python train.py "$@"
  nnUNetv2_export_model_to_zip -d Dataset001_Organ -o "$1.zip" -c 3d_fullres -f "${@:4}"
}
train_and_export one 1 9 0 1 > log
train_and_export two 2 -9 all > log
as user
mkdir user
model=user/Dataset001_Organ/nnUNetTrainer__nnUNetPlans__3d_fullres
spacing() { python -c "import json; print(json.load(open('$model/plans.json'))['configurations']['3d_fullres']['spacing'])"; }
nnUNetv2_install_pretrained_model_from_zip one.zip > log 2>&1
echo "spacing of plans.json, first model:  $(spacing)"
nnUNetv2_install_pretrained_model_from_zip two.zip > log 2>&1
echo "spacing of plans.json, now:          $(spacing)"
echo "folds now:" $(cd $model && ls -d fold_*)
share() {
  local status=0
  nnUNetv2_predict -i scans -o "$work/labels" -d Dataset001_Organ -c 3d_fullres -f "$@" -device cpu --disable_tta -npp 1 -nps 1 \
    > log 2>&1 || status=$?
  [ $status = 0 ] || tail -5 log
  echo "nnUNetv2_predict -f $*: exit status $status, the organ in $(python label.py read "$work/labels/case.nii.gz") of the voxels"
}
first=$(share 0 1) second=$(share all)
printf '%s\n%s\n' "$first" "$second"
[ "$(spacing)" = "[2.0, 2.0, 2.0]" ] && [[ $first == *"status 0, the organ in 1.00"* ]] && [[ $second == *"status 0, the organ in 0.00"* ]]
