import numpy as np
import pytest
import torch
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.deep_supervision_downsampling import DownsampleSegForDSTransform
from batchgeneratorsv2.transforms.utils.remove_label import RemoveLabelTansform
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss

from noisy_student.model.soft_labels import hard
from noisy_student.train.soft_targets import SoftLoss, pooled, with_soft_targets

CLASSES, IGNORE, SHAPE = 4, 4, (8, 12, 12)


def labels(seed, highest=CLASSES):
    """Blocks of labels, so that interpolation finds insides and borders."""
    coarse = torch.from_numpy(np.random.default_rng(seed).integers(0, highest, (1, *(size // 4 for size in SHAPE))))
    return coarse.repeat_interleave(4, 1).repeat_interleave(4, 2).repeat_interleave(4, 3).to(torch.int16)


def soft_of(label):
    return torch.from_numpy(hard(label.numpy()))


def nnunets_loss(ignore=None, batch_dice=False):
    dice = {"batch_dice": batch_dice, "smooth": 1e-5, "do_bg": False, "ddp": False}
    return DC_and_CE_loss(dice, {}, ignore_label=ignore, dice_class=MemoryEfficientSoftDiceLoss)


def soft_loss(weights, ignore=None, batch_dice=False):
    hard_loss = DeepSupervisionWrapper(nnunets_loss(ignore, batch_dice), weights)
    return SoftLoss(hard_loss, weights, CLASSES, ignore, batch_dice)


@pytest.mark.parametrize("batch_dice", [False, True])
@pytest.mark.parametrize("ignore", [None, IGNORE])
def test_for_hard_labels_loss_and_gradient_are_nnunets(ignore, batch_dice):
    target = torch.stack([labels(seed, CLASSES + (ignore is not None)) for seed in (1, 2)])
    assert ignore is None or (target == ignore).any()
    found = []
    for loss, given in (
        (nnunets_loss(ignore, batch_dice), target),
        (soft_loss([1], ignore, batch_dice), torch.stack([soft_of(one) for one in target]).to(torch.uint8)),
    ):
        torch.manual_seed(3)
        logits = torch.randn(2, CLASSES, *SHAPE, requires_grad=True)
        value = loss(logits, given) if given.shape[1] == 1 else loss([logits], given)
        value.backward()
        found.append((value.detach(), logits.grad))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-6)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-7)


def test_lists_of_hard_targets_go_to_nnunets_loss():
    target, logits = labels(1)[None], torch.randn(1, CLASSES, *SHAPE)
    assert soft_loss([1])([logits], [target]) == nnunets_loss()(logits, target)


def test_the_loss_is_least_where_the_network_is_as_sure_as_its_teacher():
    target = torch.zeros((1, 3, *SHAPE), dtype=torch.uint8)
    target[:, 0], target[:, 1], target[:, 2] = 1, 2, 70
    values = {}
    for share in (0.5, 0.6, 0.7, 0.8, 0.99):
        probabilities = torch.tensor([1e-4, share, 1 - share - 2e-4, 1e-4])
        logits = probabilities.log()[None, :, None, None, None].expand(1, CLASSES, *SHAPE)
        values[share] = float(soft_loss([1])([logits], target))
    assert min(values, key=values.get) == 0.7


def test_targets_of_coarser_resolutions_are_means_of_what_is_learned_from():
    target = torch.from_numpy(hard(np.zeros((1, 2, 2, 2), np.uint8)))[None]
    target[0, :, 0, 0, 0] = torch.tensor([1, 2, 60])
    target[0, :, 1, 1, 1] = torch.tensor([IGNORE, IGNORE, 100])
    masses, learned = pooled(*soft_loss([1], IGNORE).masses(target), (1, 1, 1))
    assert learned.item() == pytest.approx(7 / 8)
    assert (masses / learned).flatten().tolist() == pytest.approx([6 / 7, 0.6 / 7, 0.4 / 7, 0])


def test_every_weighed_resolution_counts():
    target = torch.stack([soft_of(labels(1))]).to(torch.uint8)
    outputs = [torch.randn(1, CLASSES, *(size // scale for size in SHAPE)) for scale in (1, 2, 4)]
    single = [soft_loss([float(number == chosen) for number in range(3)])(outputs, target) for chosen in range(3)]
    both = soft_loss([2 / 3, 1 / 3, 0])(outputs, target)
    assert torch.isclose(both, 2 / 3 * single[0] + single[1] / 3) and not torch.isclose(single[0], single[1])


def spatial(patch=SHAPE, **changes):
    settings = {"p_rotation": 1, "rotation": (-0.5, 0.5), "p_scaling": 1, "scaling": (0.7, 1.4)} | changes
    return SpatialTransform(patch, 0, False, border_mode_seg="constant", padding_value_seg=-1, **settings)


def transformed(transform, target, seed=5):
    np.random.seed(seed)
    torch.manual_seed(seed)
    return transform(image=torch.zeros(1, *target.shape[1:]), segmentation=target.clone())["segmentation"]


def composed(*transforms):
    return ComposeTransforms(
        [*transforms, RemoveLabelTansform(-1, 0), DownsampleSegForDSTransform([[1, 1, 1], [0.5] * 3])]
    )


@pytest.mark.parametrize("seed", range(4))
def test_hand_labels_are_turned_as_by_nnunet(seed):
    label = labels(seed)
    expected = transformed(composed(spatial()), label, seed)[0]
    found = transformed(with_soft_targets(composed(spatial()), IGNORE), soft_of(label), seed)
    assert found.dtype == torch.uint8 and found.shape == (3, *SHAPE)
    assert (found[0] == expected[0]).all() and (found[1] == found[0]).all() and (found[2] == 100).all()


def dense(target):
    masses, _ = soft_loss([1]).masses(target[None])
    return masses[0]


@pytest.mark.parametrize("changes", [{}, {"p_rotation": 0, "p_scaling": 0}])
def test_probabilities_are_interpolated_and_the_two_largest_kept(changes):
    """Against all classes' probabilities, interpolated as the image is."""
    target = torch.cat([labels(1), labels(2), torch.randint(51, 100, (1, *SHAPE), dtype=torch.int16)])
    found = transformed(with_soft_targets(composed(spatial(**changes)), IGNORE), target)
    # Beyond the patch is background, where the image is padded with nothing.
    inside = transformed_image(spatial(**changes), torch.ones(1, *SHAPE))
    wanted = transformed_image(spatial(**changes), dense(target))
    wanted[0] += 1 - inside[0]
    two, classes = wanted.topk(2, 0)
    sure = two[0] - two[1] > 0.02
    assert (found[0][sure] == classes[0][sure]).all() and sure.float().mean() > 0.9
    share = two[0] / two.sum(0)
    assert (found[2] / 100 - share).abs()[sure].max() < 0.011
    third = wanted.topk(3, 0).values[2]
    clear = sure & (two[1] - third > 0.02)
    assert (found[1][clear] == classes[1][clear]).all()


def transformed_image(transform, image, seed=5):
    np.random.seed(seed)
    torch.manual_seed(seed)
    return transform(image=image)["image"]


def test_slices_that_are_turned_in_plane_alone_keep_their_three_numbers():
    from batchgeneratorsv2.transforms.utils.pseudo2d import Convert2DTo3DTransform, Convert3DTo2DTransform

    target = torch.cat([labels(1), labels(2), torch.full((1, *SHAPE), 80, dtype=torch.int16)])
    flat = with_soft_targets(composed(Convert3DTo2DTransform(), spatial(SHAPE[1:]), Convert2DTo3DTransform()), None)
    found = transformed(flat, target)
    assert found.shape == (3, *SHAPE)
    one = with_soft_targets(composed(Convert3DTo2DTransform(), spatial(SHAPE[1:]), Convert2DTo3DTransform()), None)
    assert (transformed(one, target[:, 3:4])[:, 0] == found[:, 3]).all()


def test_nothing_shares_a_voxel_with_the_ignore_label():
    target = torch.from_numpy(hard(np.zeros((1, *SHAPE), np.int16)))
    target[0, :4], target[1, :4] = IGNORE, IGNORE
    target[:, 4:] = torch.tensor([1, 2, 70], dtype=torch.int16)[:, None, None, None]
    found = transformed(with_soft_targets(composed(spatial()), IGNORE), target)
    ignored = found[0] == IGNORE
    assert ignored.any() and not ignored.all()
    assert (found[1][ignored] == IGNORE).all() and (found[1][~ignored] != IGNORE).all()
    assert (found[2][ignored] == 100).all()
