"""Logits on the network's grid to a label map on the scan's own, slice by slice.

The interpolation is that of nnU-Net's export: linear between voxel centres, clamped at the border; nearest along the
coarse axis where nnU-Net resamples an anisotropic grid's axis apart. A voxel that lies between voxels of one class
gets that class, since the largest of all classes everywhere around is also the largest in between; so only the
others' logits are interpolated, and those outside of the box that the organs lie in are not looked at. Logits are
(class, z, y, x), label maps (z, y, x).
"""

from typing import Any

import numpy as np
import torch
from nnunetv2.preprocessing.resampling.default_resampling import determine_do_sep_z_and_axis

from noisy_student.plan.label_resampling import Axis, reached_box
from noisy_student.plan.preprocessing import Plan

COARSE, IN_PLANE = 0, (1, 2)


def label_map_of(
    logits: torch.Tensor, label_map_on_grid: torch.Tensor, properties: dict[str, Any], plan: Plan
) -> np.ndarray:
    """The label map of a scan before cropping, uint8.

    `label_map_on_grid` (uint8) has the most probable class of each voxel of the network's grid.
    """
    label_map = np.zeros(properties["shape_before_cropping"], dtype=np.uint8)
    box = tuple(slice(low, high) for low, high in properties["bbox_used_for_cropping"])
    apart = _axis_apart(properties["spacing"], plan)
    first = apart or 0
    # The axis that is resampled apart is stepped along; views, so nothing is copied.
    cropped = label_map[box].swapaxes(COARSE, first)
    classes = label_map_on_grid.transpose(0, first)
    axes = [Axis(old, new) for old, new in zip(classes.shape, cropped.shape, strict=True)]
    if reached := reached_box(axes, classes.cpu().numpy()):
        resampled = _Resampled(logits.transpose(1, 1 + first), classes, axes, reached)
        for index, plane in enumerate(cropped[reached]):
            plane[:] = resampled.slice(index, nearest=apart is not None).cpu().numpy()
    return label_map.transpose(plan.manager.transpose_backward)


def _axis_apart(spacing_mm: Any, plan: Plan) -> int | None:
    """The network's axis that nnU-Net resamples apart from the others, if there is one."""
    to = [spacing_mm[axis] for axis in plan.manager.transpose_forward]
    apart, axis = determine_do_sep_z_and_axis(None, plan.configuration.spacing, to)
    return int(axis) if apart else None


class _Resampled:
    """Logits (class, slice, row, column) seen in a `box` of another grid, whose slices are asked for one by one."""

    def __init__(self, logits: torch.Tensor, classes: torch.Tensor, axes: list[Axis], box: tuple[slice, ...]) -> None:
        seen = tuple(axis.cut(part) for axis, part in zip(axes, box, strict=True))
        self.logits, self.classes, self.axes = logits[(slice(None), *seen)], classes[seen], axes
        self.in_plane = [
            {name: torch.from_numpy(getattr(self.axes[number], name)).to(logits.device) for name in Axis.ARRAYS}
            for number in IN_PLANE
        ]

    def slice(self, index: int, nearest: bool) -> torch.Tensor:
        """The most probable class of each voxel of a slice, uint8 (row, column)."""
        slices = self._slices(index, nearest)
        planes = torch.stack([self.classes[number] for number, _ in slices])
        lowest, highest = planes.amin(0), planes.amax(0)
        for number, axis in enumerate(self.in_plane):
            lowest, highest = (
                pick(found.index_select(number, axis["below"]), found.index_select(number, axis["above"]))
                for pick, found in ((torch.minimum, lowest), (torch.maximum, highest))
            )
        between = torch.nonzero(lowest != highest, as_tuple=True)
        if len(between[0]):
            lowest[between] = self._interpolated(slices, between)
        return lowest

    def _slices(self, index: int, nearest: bool) -> list[tuple[int, float]]:
        """The old slices that a new one lies between, and their shares."""
        axis = self.axes[COARSE]
        if nearest:
            return [(int(axis.nearest[index]), 1.0)]
        share = float(axis.share_above[index])
        return [(int(axis.below[index]), 1 - share), (int(axis.above[index]), share)]

    def _interpolated(self, slices: list[tuple[int, float]], voxels: tuple[torch.Tensor, ...]) -> torch.Tensor:
        rows, columns = (
            [(axis["below"][index], 1 - axis["share_above"][index]), (axis["above"][index], axis["share_above"][index])]
            for axis, index in zip(self.in_plane, voxels, strict=True)
        )
        total = torch.zeros((len(self.logits), len(voxels[0])), dtype=torch.double, device=self.logits.device)
        for number, share in slices:
            plane = self.logits[:, number]
            for row, row_share in rows:
                for column, column_share in columns:
                    total += plane[:, row, column] * (share * row_share * column_share)
        # Rounded as nnU-Net does, so that of two classes that are then equal the same one is taken.
        return total.to(self.logits.dtype).float().argmax(0).to(torch.uint8)
