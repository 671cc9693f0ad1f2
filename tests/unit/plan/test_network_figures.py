"""Figures of known networks: by hand for a small one, the paper's size for the residual encoder."""

import pytest

from noisy_student.organs import FLARE22
from noisy_student.plan.network_figures import network_figures

DATASET = {
    "channel_names": {"0": "CT"},
    "labels": {"background": 0, **{organ.name: organ.label for organ in FLARE22}},
    "file_ending": ".nii.gz",
}


def plans(network, patch_size_zyx, **arguments):
    """The fields of nnU-Net's plans that the network is built from."""
    stages = len(arguments["features_per_stage"])
    layers = "torch.nn.modules"
    architecture = {
        "network_class_name": f"dynamic_network_architectures.architectures.unet.{network}",
        "arch_kwargs": {
            "n_stages": stages,
            "conv_op": f"{layers}.conv.Conv3d",
            "conv_bias": True,
            "norm_op": f"{layers}.instancenorm.InstanceNorm3d",
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": f"{layers}.activation.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
            **arguments,
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }
    configuration = {"patch_size": patch_size_zyx, "architecture": architecture}
    return {"plans_name": "test", "dataset_name": "test", "configurations": {"3d_fullres": configuration}}


PAPER = {
    "features_per_stage": [32, 64, 128, 256, 320, 320],
    "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 2], [1, 2, 2]],
    "kernel_sizes": [[1, 3, 3]] + [[3, 3, 3]] * 5,
}


def test_a_network_small_enough_to_count_by_hand():
    figures = network_figures(
        plans(
            "PlainConvUNet", [4, 4, 4], features_per_stage=[2, 3], strides=[[1, 1, 1], [2, 2, 2]],
            kernel_sizes=[[3, 3, 3]] * 2, n_conv_per_stage=[1, 1], n_conv_per_stage_decoder=[1],
        ),
        DATASET,
    )  # fmt: skip
    full, half = 4**3, 2**3
    weights = {
        "encoder 0": (1 * 2 * 27, full), "encoder 1": (2 * 3 * 27, half), "upsampling": (3 * 2 * 8, half),
        "decoder": (4 * 2 * 27, full), "output": (2 * 14, full),
    }  # fmt: skip
    biases_and_norms = (2 + 2 * 2) + (3 + 2 * 3) + 2 + (2 + 2 * 2) + 14
    assert figures["parameters"] == sum(count for count, _ in weights.values()) + biases_and_norms
    assert figures["flops"] == sum(2 * count * places for count, places in weights.values())


@pytest.mark.parametrize(
    ("network", "arguments", "parameters_m", "flops_t"),
    [
        ("PlainConvUNet", {"n_conv_per_stage": [2] * 6, "n_conv_per_stage_decoder": [2] * 5}, 30.71, 0.861),
        (
            "ResidualEncoderUNet",
            {"n_blocks_per_stage": [1, 2, 3, 4, 4, 4], "n_conv_per_stage_decoder": [1] * 5},
            71.55,
            1.225,
        ),
        (
            "ResidualEncoderUNet",
            {"n_blocks_per_stage": [1, 3, 4, 6, 6, 6], "n_conv_per_stage_decoder": [1] * 5},
            101.87,
            1.601,
        ),
    ],
)
def test_networks_at_the_papers_patch(network, arguments, parameters_m, flops_t):
    figures = network_figures(plans(network, [32, 224, 224], **PAPER, **arguments), DATASET)
    assert figures["parameters"] / 1e6 == pytest.approx(parameters_m, abs=0.005)
    assert figures["flops"] / 1e12 == pytest.approx(flops_t, abs=0.0005)
