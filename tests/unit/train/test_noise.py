from itertools import count

import numpy as np
import pytest
import torch
from batchgeneratorsv2.transforms.local.local_transform import LocalTransform
from batchgeneratorsv2.transforms.noise import gaussian_blur
from batchgeneratorsv2.transforms.noise.blank_rectangle import BlankRectangleTransform
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.training.nnUNetTrainer.variants.data_augmentation.nnUNetTrainerDA5 import nnUNetTrainerDA5
from torch import nn

from noisy_student.train.noise import set_dropout, set_stochastic_depth, strong_transforms, without_stopwatch

KINDS = {"plain": (PlainConvUNet, "n_conv_per_stage"), "residual": (ResidualEncoderUNet, "n_blocks_per_stage")}


def network(kind, **more):
    torch.manual_seed(0)
    architecture, blocks = KINDS[kind]
    arguments = {"features_per_stage": [4, 8], "kernel_sizes": 3, "strides": [1, 2], blocks: 2} | more
    normal = {"norm_op": nn.InstanceNorm3d, "norm_op_kwargs": {"affine": True}, "nonlin": nn.LeakyReLU}
    return architecture(1, 2, conv_op=nn.Conv3d, num_classes=3, n_conv_per_stage_decoder=1, **normal, **arguments)


@pytest.mark.parametrize(
    ("kind", "set_noise"), [("plain", set_dropout), ("residual", set_dropout), ("residual", set_stochastic_depth)]
)
def test_noise_is_in_training_alone_and_not_in_the_weights(kind, set_noise):
    quiet, noisy, scan = network(kind), network(kind), torch.randn(2, 1, 8, 8, 8)
    set_noise(noisy, 0.5)
    assert list(noisy.state_dict()) == list(quiet.state_dict())
    quiet.train(), noisy.train()
    assert not torch.equal(noisy(scan), quiet(scan)) and not torch.equal(noisy(scan), noisy(scan))
    quiet.eval(), noisy.eval()
    assert torch.equal(noisy(scan), quiet(scan))


@pytest.mark.parametrize(
    ("kind", "set_noise"), [("plain", set_dropout), ("residual", set_dropout), ("residual", set_stochastic_depth)]
)
@pytest.mark.parametrize("is_compiled", [False, True])
def test_noise_may_be_set_again_and_taken_away(kind, set_noise, is_compiled):
    """A compiled network too: it would not see a hook that comes or goes."""
    noisy, scan = network(kind), torch.randn(2, 1, 8, 8, 8)
    run = torch.compile(noisy, backend="eager") if is_compiled else noisy
    found = []
    for probability in (0, 0.5, 0, 0.2):
        set_noise(run, probability)
        found.append(torch.equal(run(scan), run(scan)))
    assert found == [True, False, True, False]
    assert all(len(module._forward_hooks) <= 1 for module in noisy.modules())


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_is_where_nnunet_has_it(kind):
    own = network(kind)
    set_dropout(own, 0.1)
    stock = network(kind, dropout_op=nn.Dropout3d, dropout_op_kwargs={"p": 0.1})
    places = {name for name, module in stock.named_modules() if isinstance(module, nn.Dropout3d)}
    hooked = {name for name, module in own.named_modules() if module._forward_hooks}
    assert hooked and {name.removesuffix(".conv") for name in hooked} == {
        name.removesuffix(".dropout") for name in places if name.endswith(".dropout")
    }


def test_deeper_blocks_are_left_out_more_often():
    noisy = network("residual")
    set_stochastic_depth(noisy, 0.4)
    assert [round(path.drop_prob, 3) for path in noisy.modules() if hasattr(path, "drop_prob")] == [0.1, 0.2, 0.3, 0.4]


def test_strong_augmentation_never_exchanges_axes():
    patch_size = (24, 48, 48)
    strong = strong_transforms(patch_size, (-0.1, 0.1), None, (), do_dummy_2d_data_aug=False)
    names = {type(getattr(one, "transform", one)).__name__ for one in strong.transforms}
    assert not names & {"Rot90Transform", "TransposeAxesTransform", "MirrorTransform"}
    assert names >= {"SpatialTransform", "LocalGammaTransform", "BlankRectangleTransform"}
    # A bright left half stays on the left, whatever is drawn.
    image, label = torch.zeros(1, *patch_size), torch.zeros(1, *patch_size, dtype=torch.int16)
    image[..., 24:], label[..., 24:] = 1, 1
    for seed in range(20):
        torch.manual_seed(seed)
        given = strong(image=image.clone(), segmentation=label.clone())["segmentation"]
        assert given[..., 24:].sum() > 4 * given[..., :24].sum()


def test_a_batch_does_not_depend_on_what_was_faster(monkeypatch):
    """The stopwatch's first 18 looks are at nine convolutions, the next 18 at nine Fourier transforms."""

    def slow(*looks):
        times = count()
        return lambda: float(sum(looks[(number % 36) // 18] for number in range(next(times) + 1)))

    image = torch.rand(1, 8, 24, 24, generator=torch.Generator().manual_seed(1))
    found = []
    for watch in (slow(1, 2), slow(2, 1)):
        monkeypatch.setattr(gaussian_blur, "time", watch)
        made = without_stopwatch(nnUNetTrainer.get_training_transforms((8, 24, 24), (-0.1, 0.1), None, (), False))
        inside = [getattr(one, "transform", one) for one in made.transforms]
        (blur,) = [one for one in inside if isinstance(one, gaussian_blur.GaussianBlurTransform)]
        blur.p_per_channel = 1
        np.random.seed(1), torch.manual_seed(1)
        found.append(blur(image=image.clone())["image"])
    assert not torch.equal(found[0], image) and torch.equal(*found)


@pytest.mark.parametrize("patch", [(4, 24, 24), (2, 16, 16)])
def test_strong_augmentation_takes_patches_of_few_slices(patch):
    np.random.seed(0)
    torch.manual_seed(0)
    composed = strong_transforms(patch, (-0.5, 0.5), None, None, do_dummy_2d_data_aug=True)
    inside = [getattr(one, "transform", one) for one in composed.transforms]
    local = [one for one in inside if isinstance(one, LocalTransform | BlankRectangleTransform)]
    assert len(local) == 3
    for one in local:
        for _ in range(20):
            assert torch.isfinite(one(image=torch.randn(1, *patch))["image"]).all()


def test_what_strong_augmentation_draws_of_thick_patches_is_da5s():
    patch, scan = (24, 48, 48), torch.randn(1, 24, 48, 48)

    def drawn(transforms):
        local = [getattr(one, "transform", one) for one in transforms]
        local = [one for one in local if isinstance(one, LocalTransform | BlankRectangleTransform)]
        np.random.seed(3)
        torch.manual_seed(3)
        return [one(image=scan.clone())["image"] for one in local]

    arguments = (patch, (-0.5, 0.5), None, None)
    ours = drawn(strong_transforms(*arguments, do_dummy_2d_data_aug=False).transforms)
    theirs = drawn(nnUNetTrainerDA5.get_training_transforms(*arguments, do_dummy_2d_data_aug=False).transforms)
    assert len(ours) == len(theirs) == 3 and all(map(torch.equal, ours, theirs))
