"""Which noise and learning rate an epoch has."""

import pytest
import torch
from nnunetv2.training.lr_scheduler.polylr import PolyLRScheduler

from noisy_student.configuration.settings import FineTuning, Noise, Training
from noisy_student.train.phases import Schedule, augmentations, is_fine_tuning, noise_in

STRONG, NO_NOISE = (Noise(augmentation=kind).model_dump() for kind in ("strong", "none"))


def settings(**fine_tuning):
    own = {"fine_tuning": FineTuning(**fine_tuning).model_dump(), "noise": STRONG}
    return Training(epochs=10, learning_rate=0.1).model_dump() | own


def rates(given, epochs):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=given["learning_rate"])
    schedule = Schedule(optimizer, given)
    found = []
    for epoch in epochs:
        schedule.step(epoch)
        found.append(optimizer.param_groups[0]["lr"])
    return found


def test_the_last_epochs_have_their_own_noise():
    own = settings(epochs=2, noise="none")
    assert [noise_in(own, epoch) for epoch in (0, 7, 8, 9)] == [STRONG, STRONG, NO_NOISE, NO_NOISE]
    assert augmentations(own) == ["strong", "none"]


@pytest.mark.parametrize("fine_tuning", [{}, {"epochs": 2}, {"epochs": 2, "noise": "strong"}])
def test_without_other_noise_there_is_one_kind_of_augmentation(fine_tuning):
    assert augmentations(settings(**fine_tuning)) == ["strong"]
    assert is_fine_tuning(settings(**fine_tuning), 9) == bool(fine_tuning)


def test_the_last_epochs_have_their_own_learning_rate_which_falls_to_its_end():
    own = settings(epochs=4, learning_rate=0.02)
    expected = [0.1, 0.1 * 0.5**0.9, 0.02, 0.02 * 0.75**0.9, 0.02 * 0.25**0.9]
    assert rates(own, (0, 5, 6, 7, 9)) == pytest.approx(expected)


@pytest.mark.parametrize("fine_tuning", [{}, {"epochs": 4}])
def test_without_its_own_the_learning_rate_falls_on_as_nnunets(fine_tuning):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    stock = PolyLRScheduler(optimizer, 0.1, 10)
    expected = []
    for epoch in range(10):
        stock.step(epoch)
        expected.append(optimizer.param_groups[0]["lr"])
    assert rates(settings(**fine_tuning), range(10)) == expected
