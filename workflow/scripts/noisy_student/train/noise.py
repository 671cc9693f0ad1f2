"""What makes learning harder than labelling: stronger augmentation, dropout, stochastic depth.

All of it belongs to a training, not to a network: neither weights nor plans know of it, so a teacher labels without.
What of it is in the network may be set again between steps, 0 takes it away. A network that `torch.compile` has
compiled keeps to the hooks that it had then, but sees an attribute change: so hooks stay, and probabilities change.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from batchgeneratorsv2.transforms.local.local_transform import LocalTransform
from batchgeneratorsv2.transforms.noise.blank_rectangle import BlankRectangleTransform
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from batchgeneratorsv2.transforms.spatial.rot90 import Rot90Transform
from batchgeneratorsv2.transforms.spatial.transpose import TransposeAxesTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.random import RandomTransform
from dynamic_network_architectures.building_blocks.regularization import DropPath
from dynamic_network_architectures.building_blocks.residual import BasicBlockD
from dynamic_network_architectures.building_blocks.simple_conv_blocks import ConvDropoutNormReLU
from nnunetv2.training.nnUNetTrainer.variants.data_augmentation.nnUNetTrainerDA5 import nnUNetTrainerDA5
from torch.nn.functional import dropout3d

EXCHANGES_AXES = (Rot90Transform, TransposeAxesTransform)


def strong_transforms(*args: Any, **kwargs: Any) -> ComposeTransforms:
    """nnU-Net's strongest augmentation (DA5) without what exchanges axes: left stays left. Arguments as there."""
    composed = nnUNetTrainerDA5.get_training_transforms(*args, **kwargs)
    transforms = [one for one in composed.transforms if not _exchanges_axes(one)]
    for one in transforms:
        _allow_thin_patches(one.transform if isinstance(one, RandomTransform) else one)
    return ComposeTransforms(transforms)


def _allow_thin_patches(transform: Any) -> None:
    """Change in place what draws from an empty range where an axis has fewer than 6 voxels; else all draws stay."""
    if isinstance(transform, LocalTransform):
        transform.scale = _spread
    if isinstance(transform, BlankRectangleTransform):
        transform.rectangle_size = [[low, max(high, low + 1)] for low, high in transform.rectangle_size]


def _spread(shape: Sequence[int], axis: int) -> float:
    """Standard deviation in voxels of a local change along an axis: DA5's, at least of one voxel."""
    return np.exp(np.random.uniform(np.log(max(1, shape[axis] // 6)), np.log(shape[axis])))


def without_stopwatch(composed: ComposeTransforms) -> ComposeTransforms:
    """The same transforms, changed in place so that none chooses by its speed how it computes.

    nnU-Net's blur is by convolution or by Fourier transform, whichever was faster when it was tried first: on a busy
    machine, or in another worker, the same batch would have other last digits.
    """
    for one in composed.transforms:
        made = one.transform if isinstance(one, RandomTransform) else one
        if isinstance(made, GaussianBlurTransform):
            made.benchmark = False
    return composed


def _exchanges_axes(transform: Any) -> bool:
    return isinstance(transform, RandomTransform) and isinstance(transform.transform, EXCHANGES_AXES)


def set_dropout(network: torch.nn.Module, probability: float) -> None:
    """Leave out channels by chance while training, where nnU-Net has its dropout.

    That is after each convolution, in a residual block after the first alone.
    """
    residual = [module for module in network.modules() if isinstance(module, BasicBlockD)]
    others = [child for block in residual for name, child in block.named_children() if name != "conv1"]
    without = {module for child in others for module in child.modules()}
    for module in network.modules():
        if isinstance(module, ConvDropoutNormReLU) and module not in without:
            if not hasattr(module.conv, "dropout_probability"):
                module.conv.register_forward_hook(_leave_out_channels)
            module.conv.dropout_probability = probability


def _leave_out_channels(module: torch.nn.Module, _: Any, output: torch.Tensor) -> torch.Tensor:
    return dropout3d(output, module.dropout_probability, module.training)


def set_stochastic_depth(network: torch.nn.Module, probability: float) -> None:
    """Leave out residual blocks by chance, up to `probability` for the deepest, while training.

    The probability grows from block to block: Huang et al., Deep Networks with Stochastic Depth, ECCV 2016.
    """
    blocks = [module for module in network.modules() if isinstance(module, BasicBlockD)]
    for number, block in enumerate(blocks, start=1):
        if not hasattr(block, "drop_path"):
            block.drop_path = DropPath()
        block.drop_path.drop_prob = probability * number / len(blocks)
        block.apply_stochastic_depth = probability > 0
