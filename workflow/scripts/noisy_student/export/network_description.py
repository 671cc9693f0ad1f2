"""What a program without nnU-Net must know of exported networks, to label as this workflow does: model.json."""

from collections.abc import Sequence
from typing import Any

from nnunetv2.configuration import ANISO_THRESHOLD

from noisy_student import __version__
from noisy_student.configuration.prediction_options import Prediction
from noisy_student.model.kind import CT, LEFT_RIGHT
from noisy_student.model.model_folder import Model
from noisy_student.model.postprocessing import Steps
from noisy_student.model.predictor import mirrorings
from noisy_student.model.windows import WEIGHT_SCALE
from noisy_student.plan.image_resampling import CUBIC

# nnU-Net's: how wide the weights of a window are (compute_gaussian), as a share of the patch.
SIGMA = 1 / 8
LINEAR = 1


def description(model: Model, networks: Sequence[str], options: Prediction, steps: Steps = ()) -> dict[str, Any]:
    """How a scan is labelled with the networks in these files, of a model that was trained here.

    Spacing, patch and axes (0, 1, 2) are those of the network, to which `transpose_forward` brings an array (z, y, x)
    of the scan.
    """
    configuration = model.plan.configuration
    left_right = model.plan.manager.transpose_forward.index(LEFT_RIGHT)
    passes = mirrorings(model.mirror_axes, left_right) if options.mirroring else [()]
    background = {label: name for name, label in model.plan.dataset["labels"].items()}[0]
    return {
        "made_by": f"flare-noisy-student {__version__}",
        "networks": list(networks),
        "labels": {background: 0, **{name: int(label) for name, label in model.plan.organs.items()}},
        "orientation": model.orientation,
        "transpose_forward": list(model.plan.manager.transpose_forward),
        "crop": "to the box of voxels that are not 0",
        "normalization": [_normalization(model)],
        "spacing_mm": list(configuration.spacing),
        "resampling": {"image_order": CUBIC, "logits_order": LINEAR, "apart_above": ANISO_THRESHOLD},
        "patch_size": list(configuration.patch_size),
        "patch_is_fixed": True,
        "step_size": options.step_size,
        "passes": [list(axes) for axes in passes],
        "blending": {"sigma": SIGMA, "peak": WEIGHT_SCALE, "precision": "float16"},
        "largest_piece_of": [list(labels) for labels in steps],
    }


def _normalization(model: Model) -> dict[str, Any]:
    """Of the one channel, as `CTNormalization`: clipped, then less the mean, then by the standard deviation."""
    found = model.plan.plans["foreground_intensity_properties_per_channel"]["0"]
    bounds = {"lowest": found["percentile_00_5"], "highest": found["percentile_99_5"]}
    return {"scheme": CT, **bounds, "mean": found["mean"], "standard_deviation": found["std"]}
