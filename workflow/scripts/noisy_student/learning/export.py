"""Logits on the network's grid to a label map on the scan's own, slab by slab.

Only two resampled slices of all classes exist at a time, never a volume of classes × scan voxels. Arrays are
(class, z, y, x) and (z, y, x). The interpolation is that of nnU-Net's export: linear between voxel centres,
clamped at the border; nearest along z where nnU-Net resamples an anisotropic grid's z axis apart.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from nnunetv2.preprocessing.resampling.default_resampling import determine_do_sep_z_and_axis
from torch.nn.functional import interpolate

from noisy_student.learning.preprocessing import Plan


def label_map_of(logits: torch.Tensor, properties: dict[str, Any], plan: Plan) -> np.ndarray:
    """The label map of a scan before cropping, uint8 (z, y, x), from logits (class, z, y, x)."""
    shape_zyx = properties["shape_after_cropping_and_before_resampling"]
    label_map = np.zeros(properties["shape_before_cropping"], dtype=np.uint8)
    box = tuple(slice(low, high) for low, high in properties["bbox_used_for_cropping"])
    nearest = _z_apart(plan.configuration.spacing, properties["spacing"])
    cropped = label_map[box]
    for z, classes in enumerate(resampled_slices(logits, shape_zyx, nearest)):
        # Rounded as nnU-Net does, so that of two classes that are then equal the same one is taken.
        cropped[z] = classes.to(logits.dtype).float().argmax(0).to(torch.uint8).cpu().numpy()
    return label_map


def _z_apart(spacing_from_zyx: Any, spacing_to_zyx: Any) -> bool:
    apart, axis = determine_do_sep_z_and_axis(None, spacing_from_zyx, spacing_to_zyx)
    if apart and axis != 0:
        raise ValueError(f"the coarse axis is {axis}, not z: spacings {spacing_from_zyx} and {spacing_to_zyx} mm")
    return apart


def resampled_slices(logits: torch.Tensor, shape_zyx: tuple[int, ...], nearest: bool) -> Iterator[torch.Tensor]:
    """Yield the slices (class, y, x) of the logits resampled to `shape_zyx`, in order of z."""
    depth = logits.shape[1]
    in_plane: dict[int, torch.Tensor] = {}

    def slice_at(z: int) -> torch.Tensor:
        if z not in in_plane:
            for old in [key for key in in_plane if key < z - 1]:
                del in_plane[old]
            in_plane[z] = _resize_in_plane(logits[:, z].float(), tuple(shape_zyx[1:]))
        return in_plane[z]

    for position in _positions(depth, shape_zyx[0]):
        if nearest:
            yield slice_at(int(np.clip(np.floor(position + 0.5), 0, depth - 1)))
            continue
        position = float(np.clip(position, 0, depth - 1))
        below = min(int(position), depth - 1)
        above = min(below + 1, depth - 1)
        yield torch.lerp(slice_at(below), slice_at(above), position - below)


def _positions(size_from: int, size_to: int) -> np.ndarray:
    """Where the centres of the new voxels lie on the old axis."""
    return (np.arange(size_to) + 0.5) * size_from / size_to - 0.5


def _resize_in_plane(classes: torch.Tensor, shape_yx: tuple[int, ...]) -> torch.Tensor:
    if tuple(classes.shape[1:]) == shape_yx:
        return classes
    return interpolate(classes[None], size=shape_yx, mode="bilinear", align_corners=False)[0]
