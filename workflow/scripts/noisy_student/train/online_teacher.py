"""A teacher that learns along: the average of the student's own weights labels what the student sees.

Of each patch of a pseudo-labelled scan the student gets the augmented view, and its teacher, the moving average of its
weights, the same patch without noise; what the teacher makes of it is the student's soft target. Tarvainen and Valpola,
Mean teachers are better role models, NeurIPS 2017; weak and strong views: Sohn et al., FixMatch, NeurIPS 2020.
"""

from collections.abc import Collection
from typing import Any

import torch
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from torch._dynamo import OptimizedModule

from noisy_student.model.soft_labels import FIRST, two_most_probable
from noisy_student.train.moving_average import MovingAverage

# Batchgenerators moves it in space as the image, and makes no noise in it.
WEAK = "regression_target"


class _KeepView(BasicTransform):
    def apply(self, data_dict: dict[str, Any], **params: object) -> dict[str, Any]:
        return data_dict | {WEAK: data_dict["image"].clone()}


class _JoinViews(BasicTransform):
    def apply(self, data_dict: dict[str, Any], **params: object) -> dict[str, Any]:
        weak = data_dict.pop(WEAK)
        return data_dict | {"image": torch.cat([data_dict["image"], weak])}


def with_both_views(composed: ComposeTransforms) -> ComposeTransforms:
    """The same transforms for patches (2 · channel, z, y, x): with all noise, then with what moves voxels alone."""
    return ComposeTransforms([_KeepView(), *composed.transforms, _JoinViews()])


class OnlineTeacher:
    """Labels the pseudo-labelled scans' patches of a batch with the average of a network's weights."""

    def __init__(
        self, network: torch.nn.Module, average: MovingAverage, cases: Collection[str], ignore: int | None
    ) -> None:
        self.network, self.average, self.cases, self.ignore = network, average, frozenset(cases), ignore

    def taught(self, batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
        """A batch of both views with soft targets (FIRST | SECOND | SHARE), as one of the noisy views and new targets.

        What was left out of the loss stays so.
        """
        strong, weak = batch["data"].to(device, non_blocking=True).chunk(2, 1)
        targets = batch["target"].to(device, non_blocking=True, copy=True)
        theirs = [number for number, case in enumerate(batch["keys"]) if case in self.cases]
        if theirs:
            targets[theirs] = self._targets(self._logits(weak, theirs), targets[theirs])
        return batch | {"data": strong.contiguous(), "target": targets}

    @torch.no_grad()
    def _logits(self, patches: torch.Tensor, theirs: list[int]) -> torch.Tensor:
        """The logits of some patches. What was compiled sees batches of one size alone."""
        is_compiled = isinstance(self.network, OptimizedModule)
        with self.average.in_network():
            self.network.eval()
            with torch.autocast(patches.device.type, enabled=patches.device.type == "cuda"):
                logits = self.network(patches if is_compiled else patches[theirs])[0].float()
            self.network.train()
        return logits[theirs] if is_compiled else logits

    def _targets(self, logits: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        found = two_most_probable(logits, 1)
        if self.ignore is None:
            return found
        return torch.where(before[:, [FIRST]] == self.ignore, before, found)
