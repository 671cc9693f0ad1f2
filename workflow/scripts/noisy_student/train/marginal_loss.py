"""nnU-Net's loss where a target may be one of several labels: cross-entropy of their summed probability, and Dice.

The summed probability is that of Shi et al., Marginal loss and exclusion loss for partially supervised multi-organ
segmentation, Medical Image Analysis 2021, and of Fang and Yan, Multi-organ segmentation over partially labeled datasets
with multi-scale feature abstraction, IEEE TMI 2020.
"""

import torch
from torch.nn.functional import log_softmax

from noisy_student.train.label_sets import LabelSets, members_at


class MarginalLoss(torch.nn.Module):
    """Of one resolution: cross-entropy and nnU-Net's own `dice`, which is nnU-Net's loss where no voxel has a set.

    Every target is a set of classes S, a label that of itself alone: cross-entropy is -log Σ_{c ∈ S} p_c, the mean over
    all voxels that are not ignored. Dice of a class leaves out the voxels that may be it but need not, and patches in
    which no other voxel is it (`is_judged`); it is the mean over what it judges.
    """

    def __init__(self, dice: torch.nn.Module, sets: LabelSets, ignores: bool, device: torch.device) -> None:
        super().__init__()
        self.dice, self.classes, self.ignores = dice, sets.classes, ignores
        self.members = sets.members(device)

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss of logits (batch, class, z, y, x) against labels and codes (batch, 1, z, y, x)."""
        members, is_label = members_at(self.members, target), target < self.classes
        learned = target != self.classes
        wanted, may_be = members & is_label, (members & ~is_label & learned)[:, 1:]
        judged = is_judged(may_be, wanted[:, 1:])
        # What is not judged has a Dice of 1 there.
        dice = self.dice(logits, wanted, loss_mask=~may_be & learned & judged)
        judged = (judged.any(0) if self.dice.batch_dice else judged).flatten()
        dice = (judged.numel() * dice + (~judged).sum()) / judged.sum().clamp(min=1)
        cross_entropy = marginal_cross_entropy(
            log_softmax(logits.float(), 1), members, learned[:, 0] if self.ignores else None
        )
        return cross_entropy + dice


def is_judged(may_be: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Which classes Dice judges in each patch: bool (batch, class, 1, 1, 1).

    Of (batch, class, z, y, x), where a voxel may be the class but need not, and where it is it. A class that may be
    there, with no voxel that has to be it, is not: none of it on what is labelled otherwise would be a Dice of 1, and a
    network reaches that best by forgetting the class.
    """
    anywhere = [(where > 0).flatten(2).any(2) for where in (may_be, wanted)]
    return (~anywhere[0] | anywhere[1])[..., None, None, None]


def marginal_cross_entropy(
    logarithms: torch.Tensor, members: torch.Tensor, learned: torch.Tensor | None
) -> torch.Tensor:
    """The mean over voxels, those that are `learned` from (batch, z, y, x), of -log of the summed probability."""
    of_sets = log_of_sum(logarithms, members)
    if learned is None:
        return -of_sets.mean()
    return -of_sets.masked_fill(~learned, 0).sum() / learned.sum().clamp(min=1)


def log_of_sum(logarithms: torch.Tensor, members: torch.Tensor) -> torch.Tensor:
    """Of log-probabilities (batch, class, z, y, x) the logarithm of the members' sum (batch, z, y, x)."""
    return logarithms.masked_fill(~members, -torch.inf).logsumexp(1)
