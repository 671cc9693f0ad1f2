"""Patches mixed across the scans of a batch: a box of each is taken from the patch before it, with its targets.

So organs lie beside those of other patients, hand labels beside pseudo-labels in one patch, and none is found by where
it should be alone. Yun et al., CutMix, ICCV 2019; of labelled and unlabelled CT and MR: Bai et al., Bidirectional
copy-paste for semi-supervised medical image segmentation, CVPR 2023.
"""

from collections.abc import Sequence
from math import ceil
from typing import Any

import torch

# Of how many scans a mixed patch is.
SCANS = 2
Box = Sequence[tuple[int, int]]


def mixed(batch: dict[str, Any], probability: float, device: torch.device) -> dict[str, Any]:
    """A batch, mixed with this probability: `data` (batch, channel, z, y, x), and its `target`, for each scale or one.

    One box in all patches: of the patch's proportions, anywhere in it, its share of the volume drawn evenly from 0 to
    1. The draws are those of torch on the CPU. What is mixed is moved to the device before.
    """
    if torch.rand(()) >= probability:
        return batch
    data, target = batch["data"], batch["target"]
    shape_zyx = data.shape[2:]
    box = _drawn(shape_zyx)
    of_scales = target if isinstance(target, list) else [target]
    data, *made = (_exchanged(one.to(device, non_blocking=True), box, shape_zyx) for one in (data, *of_scales))
    return batch | {"data": data, "target": made if isinstance(target, list) else made[0]}


def _drawn(shape_zyx: Sequence[int]) -> Box:
    share = float(torch.rand(())) ** (1 / len(shape_zyx))
    lengths = [max(1, round(share * size)) for size in shape_zyx]
    starts = [int(torch.randint(size - length + 1, ())) for size, length in zip(shape_zyx, lengths, strict=True)]
    return [(start, start + length) for start, length in zip(starts, lengths, strict=True)]


def _exchanged(volumes: torch.Tensor, box: Box, shape_zyx: Sequence[int]) -> torch.Tensor:
    """Volumes (batch, channel, z, y, x) on the box's grid or a coarser one, where a voxel is in it if its middle is."""
    place = (
        ...,
        *(
            slice(*(ceil(end * size / whole - 0.5) for end in ends))
            for ends, size, whole in zip(box, volumes.shape[2:], shape_zyx, strict=True)
        ),
    )
    made = volumes.clone()
    made[place] = volumes[place].roll(1, 0)
    return made
