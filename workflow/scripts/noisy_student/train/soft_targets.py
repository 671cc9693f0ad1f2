"""Soft targets: what a student learns from a teacher that was not sure, through augmentation into the loss.

A target is (FIRST | SECOND | SHARE, z, y, x) as in `soft_labels`: hand-labelled voxels are wholly of their label, and
voxels whose first label is the ignore label are left out. A label may be the code of a set (`label_sets`). Batches
carry these three numbers a voxel; the probabilities of all classes are made on the device.
"""

from collections.abc import Sequence

import pandas as pd
import torch
from batchgeneratorsv2.transforms.base.basic_transform import SegOnlyTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.deep_supervision_downsampling import DownsampleSegForDSTransform
from torch.nn.functional import adaptive_avg_pool3d, grid_sample, log_softmax

from noisy_student.model.soft_labels import FIRST, SECOND, SHARE, WHOLE
from noisy_student.train.marginal_loss import is_judged, log_of_sum

BACKGROUND = 0
# Of a scan. A filled one has one where the teacher is not trusted, and one where it says background but missed organs.
SETS = 2
SMOOTH = 1e-5  # nnU-Net's, in its Dice


class SoftSpatial(SpatialTransform):
    """nnU-Net's rotation and scaling of targets: probabilities are interpolated, and the two largest of them kept.

    Where all of a patch is hard it is nnU-Net's own interpolation of labels.
    """

    @classmethod
    def of(cls, transform: SpatialTransform) -> "SoftSpatial":
        """The same as a transform of nnU-Net's."""
        made = cls.__new__(cls)
        made.__dict__.update(transform.__dict__)
        return made

    def _apply_to_segmentation(self, segmentation: torch.Tensor, **params: object) -> torch.Tensor:
        if params["grid"] is None:
            return super()._apply_to_segmentation(segmentation, **params)
        # With slices as channels, where nnU-Net rotates in plane alone, there are several of each.
        first, second, share = segmentation.chunk(3)
        if torch.equal(first, second):
            label = super()._apply_to_segmentation(first, **params)
            return torch.cat([label, label, torch.full_like(label, WHOLE)])
        # What lies outside is background.
        return self._two_largest(first.clamp(min=BACKGROUND), second.clamp(min=BACKGROUND), share, params["grid"])

    def _two_largest(
        self, first: torch.Tensor, second: torch.Tensor, share: torch.Tensor, grid: torch.Tensor
    ) -> torch.Tensor:
        share = torch.where(first == second, WHOLE, share).float()
        rest = WHOLE - share
        labels = sorted({BACKGROUND, *map(int, pd.unique(torch.cat([first.ravel(), second.ravel()]).numpy()))})
        shape = (len(first), *self.patch_size)
        highest, next_highest = torch.zeros(shape), torch.zeros(shape)
        winner = torch.full(shape, BACKGROUND, dtype=first.dtype)
        runner_up = winner.clone()
        # In place as far as it goes: this is most of what a batch costs more than a hard one.
        mass, is_second = torch.empty(first.shape), torch.empty(first.shape)
        for label in labels:
            torch.eq(first, label, out=mass).mul_(share)
            mass.addcmul_(torch.eq(second, label, out=is_second), rest)
            # Beyond the patch, too; the sampling pads with nothing.
            padding = WHOLE if label == BACKGROUND else 0
            found = grid_sample(mass.sub_(padding)[None], grid[None], padding_mode="zeros", align_corners=False)[0]
            found.add_(padding)
            wins, loser = found > highest, torch.minimum(found, highest)
            runner_up = torch.where(loser > next_highest, torch.where(wins, winner, label), runner_up)
            winner.masked_fill_(wins, label)
            torch.maximum(highest, found, out=highest)
            torch.maximum(next_highest, loser, out=next_highest)
        runner_up = torch.where(next_highest > 0, runner_up, winner)
        share = (WHOLE * highest / (highest + next_highest)).round().to(first.dtype)
        return torch.cat([winner, runner_up, share])


class Compact(SegOnlyTransform):
    """A target in bytes. What is outside is background, and nothing shares a voxel with the ignore label."""

    def __init__(self, ignore: int | None) -> None:
        super().__init__()
        self.ignore = ignore

    def _apply_to_segmentation(self, segmentation: torch.Tensor, **params: object) -> torch.Tensor:
        first, second, share = segmentation.clamp(min=0)
        alone = (first == second) | (second == self.ignore) | (first == self.ignore)
        return torch.stack([first, torch.where(alone, first, second), torch.where(alone, WHOLE, share)]).to(torch.uint8)


class FirstAlone(SegOnlyTransform):
    """The first labels: what hand-labelled scans validate with."""

    def _apply_to_segmentation(self, segmentation: torch.Tensor, **params: object) -> torch.Tensor:
        return segmentation[FIRST : FIRST + 1]


def with_soft_targets(composed: ComposeTransforms, ignore: int | None) -> ComposeTransforms:
    """nnU-Net's transforms for soft targets; pooling them for deep supervision is left to the loss."""
    kept = [one for one in composed.transforms if not isinstance(one, DownsampleSegForDSTransform)]
    soft = [SoftSpatial.of(one) if isinstance(one, SpatialTransform) else one for one in kept]
    return ComposeTransforms([*soft, Compact(ignore)])


def with_first_labels(composed: ComposeTransforms) -> ComposeTransforms:
    """nnU-Net's transforms for hard targets, of the first of soft labels."""
    return ComposeTransforms([FirstAlone(), *composed.transforms])


class SoftLoss(torch.nn.Module):
    """Cross-entropy and Dice against soft targets, at every resolution that nnU-Net weighs.

    For hard targets both are nnU-Net's, but for coarser resolutions: there targets are means of the finer voxels'
    probabilities. Dice: 2 Σ min(p, t) / (Σ p + Σ t), which is largest where p = t, unlike 2 Σ p t / (Σ p + Σ t): Wang
    et al., Dice Semimetric Losses, MICCAI 2023. Lists of targets are hard and go to nnU-Net's loss, `hard`.

    `members` (class, code): the classes of each set (`LabelSets.members`), where the dataset has sets; a patch has two
    at most of each of the `scans` that are mixed in it. The loss of what of a voxel is a set is that of `MarginalLoss`.
    """

    def __init__(
        self, hard: torch.nn.Module, weights: Sequence[float], classes: int, ignore: int | None, batch_dice: bool,
        members: torch.Tensor | None = None, scans: int = 1,
    ) -> None:  # fmt: skip
        super().__init__()
        self.hard, self.weights, self.classes, self.ignore, self.batch_dice = hard, weights, classes, ignore, batch_dice
        self.members, self.sets = members, SETS * scans

    def forward(self, outputs: list[torch.Tensor], targets: torch.Tensor | list[torch.Tensor]) -> torch.Tensor:
        """The loss of logits (batch, class, z, y, x) of each resolution, the finest first."""
        if isinstance(targets, list):
            return self.hard(outputs, targets)
        codes = None if self.members is None else self._codes_of(targets)
        masses, learned = self.masses(targets, codes)
        # (batch, class, set, 1, 1, 1)
        members = None if codes is None else self.members[:, codes].transpose(0, 1)[..., None, None, None]
        total = torch.zeros((), device=masses.device)
        for weight, logits in zip(self.weights, outputs, strict=True):
            if weight:
                total = total + weight * self._of_one(logits, *pooled(masses, learned, logits.shape[2:]), members)
        return total

    def masses(
        self, targets: torch.Tensor, codes: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Each class's probability (batch, class, z, y, x), and what is learned from (batch, 1, z, y, x): 1, else 0.

        Probabilities are 0 where nothing is learned. Without the ignore label all is, and the latter is None. Where the
        dataset has sets, the last channels of the former are those of each patch's `codes` (batch, set).
        """
        channels = self.classes + (0 if codes is None else self.sets)
        first, second = (targets[:, [channel]].long() for channel in (FIRST, SECOND))
        share = targets[:, [SHARE]].float() / WHOLE
        rest, learned = 1 - share, None
        if self.ignore is not None:
            learned = (first != self.ignore).float()
            share, rest = share * learned, rest * learned
        first, second = (self._channels_of(label, codes) for label in (first, second))
        masses = torch.zeros((len(targets), channels, *targets.shape[2:]), device=targets.device)
        return masses.scatter_(1, first, share).scatter_add_(1, second, rest), learned

    def _channels_of(self, labels: torch.Tensor, codes: torch.Tensor | None) -> torch.Tensor:
        """The channel of `masses` of each label (batch, 1, z, y, x); the ignore label has no mass and takes any."""
        if codes is None:
            return labels.clamp(max=self.classes - 1)
        smaller = codes[:, :-1, None, None, None] < labels
        return labels.clamp(max=self.classes) + smaller.sum(1, keepdim=True)

    def _codes_of(self, targets: torch.Tensor) -> torch.Tensor:
        """The codes of each patch's sets, from the smallest on, the largest again where it has fewer: (batch, set).

        Of a patch without sets all are its largest label.
        """
        labels = targets[:, :SHARE].flatten(1).long()
        largest = labels.amax(1, keepdim=True)
        codes = [torch.full_like(largest, self.classes)]
        for _ in range(self.sets - 1):
            codes.append(torch.where(labels > codes[-1], labels, largest).amin(1, keepdim=True))
        return torch.cat([*codes[1:], largest], 1)

    def _of_one(
        self,
        logits: torch.Tensor,
        masses: torch.Tensor,
        learned: torch.Tensor | None,
        members: torch.Tensor | None,
    ) -> torch.Tensor:
        logarithms = log_softmax(logits.float(), 1)
        voxels = logits[:, 0].numel() if learned is None else learned.sum().clamp(min=1e-8)
        if members is not None:
            masses, of_sets = masses.split([self.classes, self.sets], 1)
        cross_entropy = -torch.dot(masses.flatten(), logarithms.flatten()) / voxels
        found, wanted, judged = logarithms.exp()[:, 1:], masses[:, 1:], None
        if members is not None:
            may_be = torch.zeros_like(wanted)
            for of_set, classes in zip(of_sets.unbind(1), members.unbind(2), strict=True):
                cross_entropy = cross_entropy - (of_set * log_of_sum(logarithms, classes)).sum() / voxels
                may_be.addcmul_(of_set[:, None], classes[:, 1:].to(of_set.dtype))
            judged = is_judged(may_be, wanted)
            learned = ((1 if learned is None else learned) - may_be) * judged
        if learned is not None:
            found = found * learned
        axes = tuple(range(2, found.ndim))
        shared, sizes = torch.minimum(found, wanted).sum(axes), found.sum(axes) + wanted.sum(axes)
        if self.batch_dice:
            shared, sizes = shared.sum(0), sizes.sum(0)
        dice = (2 * shared + SMOOTH) / (sizes + SMOOTH).clamp(min=1e-8)
        if judged is None:
            return cross_entropy - dice.mean()
        judged = (judged.any(0) if self.batch_dice else judged).reshape(dice.shape)
        return cross_entropy - (dice * judged).sum() / judged.sum().clamp(min=1)


def pooled(
    masses: torch.Tensor, learned: torch.Tensor | None, shape_zyx: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Targets on a coarser grid: means over the finer voxels, of probabilities and of whether they are learned from.

    So a coarser voxel counts by the share of it that is learned from, with the mean of the probabilities there.
    """
    if tuple(shape_zyx) == tuple(masses.shape[2:]):
        return masses, learned
    shape = tuple(shape_zyx)
    return adaptive_avg_pool3d(masses, shape), None if learned is None else adaptive_avg_pool3d(learned, shape)
