from functools import partial

import pytest
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

from noisy_student.model.windows import Windows

CPU = torch.device("cpu")
CLASSES = 14


@pytest.fixture(scope="module")
def network():
    """A network that sees neighbours, unlike in each direction."""
    torch.manual_seed(0)
    return torch.nn.Conv3d(1, CLASSES, 3, padding=1).eval()


def stock_logits(plan, network, image, axes=None, step_size=0.5):
    stock = nnUNetPredictor(step_size, True, axes is not None, False, CPU, allow_tqdm=False)
    stock.manual_initialization(
        network, plan.manager, plan.configuration, [network.state_dict()], plan.dataset, "nnUNetTrainer", axes
    )
    return stock.predict_sliding_window_return_logits(image)


def windows_of(plan, image, step_size=0.5):
    return Windows(image, plan.configuration.patch_size, step_size, CLASSES, CPU)


@pytest.mark.parametrize(
    ("shape", "step_size"),
    [((30, 60, 50), 0.5), ((30, 60, 50), 0.8), ((10, 60, 20), 0.5), ((24, 48, 48), 0.5)],
    ids=["several windows", "larger step", "smaller than a patch", "one window"],
)
def test_logits_are_bit_equal_to_nnunets(plan, network, shape, step_size):
    image = torch.randn(1, *shape, generator=torch.Generator().manual_seed(1))
    found = windows_of(plan, image, step_size).logits(partial(map, network))
    assert found.dtype == torch.half and found.shape == (CLASSES, *shape)
    assert torch.equal(found, stock_logits(plan, network, image, step_size=step_size))


def test_the_mean_over_mirrored_passes_is_nnunets(plan, network):
    image = torch.randn(1, 30, 60, 50, generator=torch.Generator().manual_seed(1))
    windows = windows_of(plan, image)
    passes = [windows.logits(partial(map, network), axes) for axes in [(), (0,), (1,), (0, 1)]]
    stock = stock_logits(plan, network, image, axes=(0, 1))
    # Where all windows' weights are next to nothing, half precision leaves no digits, in nnU-Net neither.
    sure = windows.weight_sums > 0.01
    assert sure.float().mean() > 0.5
    assert torch.allclose((sum(part.float() for part in passes) / 4)[:, sure], stock[:, sure].float(), atol=5e-3)
    assert not torch.equal(passes[0], passes[1])


def test_logits_beyond_half_precision_are_an_error(plan):
    network = torch.nn.Conv3d(1, CLASSES, 1)
    torch.nn.init.constant_(network.weight, 1e6)
    with pytest.raises(OverflowError, match="half precision"):
        windows_of(plan, torch.ones(1, 24, 48, 48)).logits(partial(map, network))


@pytest.mark.parametrize("on_body", [False, True])
def test_windows_without_numbers_among_others_are_an_error_and_a_network_without_any_has_diverged(plan, on_body):
    body = torch.zeros(30, 60, 90, dtype=torch.bool)
    body[5:25, 5:55, :60] = True
    patch_size, given = plan.configuration.patch_size, torch.ones(1, 30, 60, 90)
    windows = Windows(given, patch_size, 0.5, CLASSES, CPU, body if on_body else None)
    network = torch.nn.Conv3d(1, CLASSES, 1)
    number = iter(range(len(windows.places)))
    with pytest.raises(OverflowError, match="half precision"):
        windows.logits(partial(map, lambda window: network(window) * (torch.nan if next(number) == 1 else 1)))
    nothing = windows.logits(partial(map, lambda window: network(window) * torch.nan))
    assert torch.isnan(nothing[:, windows.weight_sums > 0]).all()


def test_windows_without_a_body_are_left_out_and_are_background(plan, network):
    image = torch.randn(1, 30, 60, 90, generator=torch.Generator().manual_seed(1))
    body = torch.zeros(30, 60, 90, dtype=torch.bool)
    body[10:20, 10:20, :10] = True
    patch_size = plan.configuration.patch_size
    windows = Windows(image, patch_size, 0.5, CLASSES, CPU, body)
    everywhere = windows_of(plan, image)
    assert 0 < len(windows.places) < len(everywhere.places)
    found = windows.logits(partial(map, network))
    assert torch.equal(found[:, body], everywhere.logits(partial(map, network))[:, body])
    assert (found[:, :, :, -20:].argmax(0) == 0).all() and torch.isfinite(found).all()


def test_with_a_body_everywhere_nothing_changes(plan, network):
    image = torch.randn(1, 10, 60, 50, generator=torch.Generator().manual_seed(1))
    body = torch.ones(10, 60, 50, dtype=torch.bool)
    found = Windows(image, plan.configuration.patch_size, 0.5, CLASSES, CPU, body).logits(partial(map, network))
    assert torch.equal(found, windows_of(plan, image).logits(partial(map, network)))
