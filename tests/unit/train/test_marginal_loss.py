"""Cross-entropy and Dice where a voxel may have several labels, against nnU-Net's loss and against the formulas."""

import numpy as np
import pytest
import torch
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss, get_tp_fp_fn_tn
from torch.nn.functional import interpolate

from noisy_student.model.soft_labels import hard
from noisy_student.train.label_sets import LabelSets
from noisy_student.train.marginal_loss import MarginalLoss, is_judged
from noisy_student.train.soft_targets import SoftLoss

CLASSES, SHAPE = 4, (8, 12, 12)
IGNORE = CLASSES
SETS = LabelSets.of([[0, 2], [0, 1, 3]], CLASSES)
CODES = {labels: SETS.code_of(labels) for labels in SETS.sets}
CPU = torch.device("cpu")


def nnunets_loss(ignore=None, batch_dice=False):
    dice = {"batch_dice": batch_dice, "smooth": 1e-5, "do_bg": False, "ddp": False}
    return DC_and_CE_loss(dice, {}, ignore_label=ignore, dice_class=MemoryEfficientSoftDiceLoss)


def marginal(ignore=None, batch_dice=False):
    return MarginalLoss(nnunets_loss(ignore, batch_dice).dc, SETS, ignore is not None, CPU)


def labels(highest, seed=1, size=2):
    found = np.random.default_rng(seed).integers(0, highest, (size, 1, *SHAPE), dtype=np.int16)
    return torch.from_numpy(found)


def partly(ignore=None):
    """Labels of two scans, each with its own set."""
    target = labels(CLASSES + (ignore is not None))
    for scan, (may_be, code) in zip(target, CODES.items(), strict=True):
        scan[torch.isin(scan, torch.tensor(may_be))] = code
    return target


def logits_of(target, classes=CLASSES):
    torch.manual_seed(3)
    return torch.randn(len(target), classes, *target.shape[2:], requires_grad=True)


def value_and_gradient(loss, logits, *given):
    value = loss(logits, *given)
    (gradient,) = torch.autograd.grad(value, logits)
    return value.detach(), gradient


@pytest.mark.parametrize("batch_dice", [False, True])
@pytest.mark.parametrize("ignore", [None, IGNORE])
@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_of_labels_alone_loss_and_gradient_are_nnunets(ignore, batch_dice, dtype):
    target = labels(CLASSES + (ignore is not None))
    logits = logits_of(target)
    found = []
    for loss in (nnunets_loss(ignore, batch_dice), marginal(ignore, batch_dice)):
        with torch.autocast("cpu", dtype, enabled=dtype is not None):
            found.append(value_and_gradient(lambda given, loss=loss: loss(given * 1, target), logits))
    assert torch.allclose(found[0][0].float(), found[1][0].float(), atol=1e-6 if dtype is None else 1e-2)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-7)


def test_at_every_resolution_the_loss_is_nnunets_too():
    target = labels(CLASSES)
    targets = [interpolate(target.float(), scale_factor=scale, mode="nearest-exact").to(target) for scale in (1, 0.5)]
    outputs = [logits_of(one) for one in targets]
    stock, ours = (DeepSupervisionWrapper(loss, [2 / 3, 1 / 3]) for loss in (nnunets_loss(), marginal()))
    assert torch.isclose(stock(outputs, targets), ours(outputs, targets), atol=1e-6)


@pytest.mark.parametrize("batch_dice", [False, True])
@pytest.mark.parametrize("ignore", [None, IGNORE])
def test_loss_of_sets_is_by_the_formulas(ignore, batch_dice):
    """-log of the summed probability; Dice where no voxel only may be a class, the mean over these."""
    target = partly(ignore)
    logits = logits_of(target)
    probabilities = logits.softmax(1)
    cross_entropies, counted, wanted = [], torch.zeros_like(probabilities), torch.zeros_like(probabilities)
    may_be = {label: {label} for label in range(CLASSES)} | {code: set(found) for found, code in CODES.items()}
    for label, members in may_be.items():
        at = (target == label).expand_as(probabilities)
        summed = probabilities[:, sorted(members)].sum(1)[target[:, 0] == label]
        cross_entropies.append(-summed.log())
        for organ in range(CLASSES):
            counted[:, organ][at[:, 0]] = float(label == organ or organ not in members)
            wanted[:, organ][at[:, 0]] = float(label == organ)
    for scan, members in enumerate(CODES):
        counted[scan, list(members)] = 0
    axes = (0, 2, 3, 4) if batch_dice else (2, 3, 4)
    found = (probabilities * counted)[:, 1:]
    dice = (2 * (found * wanted[:, 1:]).sum(axes) + 1e-5) / (found.sum(axes) + wanted[:, 1:].sum(axes) + 1e-5)
    judged = counted[:, 1:].flatten(2).any(2)
    dice = dice[judged.any(0) if batch_dice else judged]
    expected = torch.cat(cross_entropies).mean() - dice.mean()
    assert torch.isclose(marginal(ignore, batch_dice)(logits, target), expected, atol=1e-6)


def test_dice_judges_an_organ_where_a_voxel_has_to_be_it_or_none_may_be_it():
    may_be, wanted = (torch.zeros(2, 2, 1, 1, 2, dtype=torch.bool) for _ in range(2))
    may_be[0, :, ..., 0] = True
    wanted[0, 0, ..., 1] = wanted[1, 1, ..., 1] = True
    assert is_judged(may_be, wanted).flatten(1).tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize("batch_dice", [False, True])
def test_voxels_left_out_say_nothing_of_organs_that_are_not_there(batch_dice):
    """An organ that is nowhere in a patch, a part of which is left out, is judged in the rest of it as by nnU-Net."""
    target = torch.zeros(2, 1, *SHAPE, dtype=torch.int16)
    target[:, :, 2:4, 2:6, 2:6], target[:, :, 6:] = 1, IGNORE
    logits = logits_of(target)
    expected = nnunets_loss(IGNORE, batch_dice)(logits, target)
    assert torch.isclose(marginal(IGNORE, batch_dice)(logits, target), expected, atol=1e-6)
    soft = torch.stack([torch.from_numpy(hard(labels.numpy())) for labels in target])
    assert torch.isclose(soft_loss([1.0], IGNORE, batch_dice)([logits], soft), expected, atol=1e-6)


def test_a_set_leaves_the_choice_among_its_labels_and_excludes_the_others():
    may_be, code = next(iter(CODES.items()))
    target = torch.full((1, 1, *SHAPE), code, dtype=torch.int16)
    logits = logits_of(target)
    _, gradient = value_and_gradient(marginal(), logits, target)
    out = [label for label in range(CLASSES) if label not in may_be]
    # A descent lowers what is excluded, and raises each of the others by its share of their probability.
    assert (gradient[:, out] > 0).all()
    shares = logits[:, list(may_be)].softmax(1)
    raised = -gradient[:, list(may_be)]
    assert torch.allclose(raised, raised.sum(1, keepdim=True) * shares, atol=1e-8)


def test_where_nothing_is_learned_from_the_loss_is_finite():
    target = torch.full((1, 1, *SHAPE), IGNORE, dtype=torch.int16)
    value, gradient = value_and_gradient(marginal(IGNORE), logits_of(target), target)
    assert torch.isfinite(value) and not gradient.any()


def soft_loss(weights, ignore=None, batch_dice=False):
    hard_loss = DeepSupervisionWrapper(marginal(ignore, batch_dice), weights)
    return SoftLoss(hard_loss, weights, CLASSES, ignore, batch_dice, SETS.members())


@pytest.mark.parametrize("batch_dice", [False, True])
@pytest.mark.parametrize("ignore", [None, IGNORE])
def test_against_soft_targets_that_are_hard_the_loss_is_the_same(ignore, batch_dice):
    target = partly(ignore)
    logits = logits_of(target)
    soft = torch.stack([torch.from_numpy(hard(one.numpy())) for one in target]).to(torch.uint8)
    expected = value_and_gradient(marginal(ignore, batch_dice), logits, target)
    found = value_and_gradient(lambda given: soft_loss([1], ignore, batch_dice)([given], soft), logits)
    assert torch.allclose(expected[0], found[0], atol=1e-6)
    assert torch.allclose(expected[1], found[1], atol=1e-7)
    assert torch.isclose(soft_loss([1], ignore, batch_dice)([logits], [target]), expected[0])


@pytest.mark.parametrize("ignore", [None, IGNORE])
def test_soft_targets_of_a_scan_with_two_sets_that_are_hard_have_the_same_loss(ignore):
    """As a filled scan has: of what a teacher is not trusted with, and of its background."""
    target = labels(CLASSES + (ignore is not None), size=3)
    for code in CODES.values():
        target[:2][labels(6, seed=code)[:2] == 0] = code
    target[2][target[2] == 0] = max(CODES.values())
    logits = logits_of(target)
    soft = torch.stack([torch.from_numpy(hard(one.numpy())) for one in target]).to(torch.uint8)
    expected = value_and_gradient(marginal(ignore), logits, target)
    found = value_and_gradient(lambda given: soft_loss([1], ignore)([given], soft), logits)
    assert torch.allclose(expected[0], found[0], atol=1e-6)
    assert torch.allclose(expected[1], found[1], atol=1e-7)


@pytest.mark.parametrize("ignore", [None, IGNORE])
def test_so_have_those_of_a_patch_of_two_mixed_scans_that_have_two_sets_each(ignore):
    four = LabelSets.of([[0, 2], [0, 1, 3], [0, 3], [0, 1]], CLASSES)
    target = labels(CLASSES + (ignore is not None), size=4)
    codes = [four.code_of(labels) for labels in four.sets]
    # Of all, of three, of one, of none.
    for scan, its_codes in zip(target, (codes, codes[1:], codes[2:3], []), strict=True):
        for code in its_codes:
            scan[labels(6, seed=code)[0] == 0] = code
    logits = logits_of(target)
    soft = torch.stack([torch.from_numpy(hard(one.numpy())) for one in target]).to(torch.uint8)
    reference = MarginalLoss(nnunets_loss(ignore).dc, four, ignore is not None, CPU)
    loss = SoftLoss(DeepSupervisionWrapper(reference, [1]), [1], CLASSES, ignore, False, four.members(), scans=2)
    expected = value_and_gradient(reference, logits, target)
    found = value_and_gradient(lambda given: loss([given], soft), logits)
    assert torch.allclose(expected[0], found[0], atol=1e-6)
    assert torch.allclose(expected[1], found[1], atol=1e-7)


def test_a_voxel_may_be_partly_an_organ_and_partly_a_set():
    (may_be, code), *_ = CODES.items()
    organ = next(label for label in range(CLASSES) if label not in may_be)
    target = torch.tensor([code, organ, 70], dtype=torch.uint8)[None, :, None, None, None]
    logits = torch.tensor([0.1, 0.2, -0.3, 0.4])[None, :, None, None, None]
    probabilities = logits.softmax(1).flatten()
    cross_entropy = -0.3 * probabilities[organ].log() - 0.7 * probabilities[list(may_be)].sum().log()
    dice = []
    for label in set(range(1, CLASSES)) - set(may_be):
        wanted = torch.tensor(0.3 * (label == organ))
        shared = torch.minimum(probabilities[label], wanted)
        dice.append((2 * shared + 1e-5) / (probabilities[label] + wanted + 1e-5))
    expected = cross_entropy - torch.stack(dice).mean()
    assert torch.isclose(soft_loss([1])([logits], target), expected, atol=1e-6)


def test_on_a_coarser_grid_a_voxel_is_a_set_by_its_share():
    """Half of the finer voxels may be two labels, the others are a third one."""
    (may_be, code), *_ = CODES.items()
    organ = next(label for label in range(CLASSES) if label not in may_be)
    target = torch.from_numpy(hard(np.full((1, 2, 2, 2), organ, np.uint8)))[None]
    target[0, :2, 0] = code
    logits = torch.tensor([0.1, 0.2, -0.3, 0.4])[None, :, None, None, None]
    probabilities = logits.softmax(1).flatten()
    cross_entropy = -0.5 * (probabilities[organ].log() + probabilities[list(may_be)].sum().log())
    dice = []
    for label in set(range(1, CLASSES)) - set(may_be):
        counted = probabilities[label]
        wanted = torch.tensor(0.5 * (label == organ))
        dice.append((2 * torch.minimum(counted, wanted) + 1e-5) / (counted + wanted + 1e-5))
    expected = cross_entropy - torch.stack(dice).mean()
    assert torch.isclose(soft_loss([1])([logits], target), expected, atol=1e-6)


def test_in_validation_a_voxel_of_a_set_is_background_and_so_is_what_was_found_there_within_it():
    (may_be, code), *_ = CODES.items()
    inside, outside = may_be[-1], next(label for label in range(CLASSES) if label not in may_be)
    target = torch.tensor([code, code, inside, outside])[None, None, :, None, None]
    predicted = torch.tensor([inside, outside, inside, inside])
    one_hot = torch.eye(CLASSES)[predicted].T[None, :, :, None, None].to(torch.float16)
    axes = [0, 2, 3, 4]
    found = SETS.counts(one_hot, target, axes=axes, mask=None)
    seen = torch.tensor([0, outside, inside, inside])
    shown = torch.eye(CLASSES)[seen].T[None, :, :, None, None]
    wanted = get_tp_fp_fn_tn(shown, torch.tensor([0, 0, inside, outside])[None, None, :, None, None], axes=axes)
    assert all(map(torch.equal, found, (one.to(found[0].dtype) for one in wanted)))
