"""What holds in which epoch of a training: in its last ones, `fine_tuning`, some of it is of their own.

`settings` is `Configuration.training_of`; epochs count from 0.
"""

from typing import Any

EXPONENT = 0.9


def is_fine_tuning(settings: dict[str, Any], epoch: int) -> bool:
    """Whether only hand-labelled scans are drawn in an epoch."""
    return epoch >= _first(settings)


def noise_in(settings: dict[str, Any], epoch: int) -> dict[str, Any]:
    """The noise of an epoch."""
    own = settings["fine_tuning"]["noise"]
    return own if own and is_fine_tuning(settings, epoch) else settings["noise"]


def augmentations(settings: dict[str, Any]) -> list[str]:
    """Every kind of augmentation that a training has."""
    return list(dict.fromkeys(noise["augmentation"] for noise in _noises(settings)))


def mixes_patches(settings: dict[str, Any]) -> bool:
    """Whether a training has mixed patches in any epoch."""
    return any(noise.get("mixing") for noise in _noises(settings))


def _noises(settings: dict[str, Any]) -> list[dict[str, Any]]:
    return [noise_in(settings, epoch) for epoch in (0, settings["epochs"] - 1)]


def learning_rate_in(settings: dict[str, Any], epoch: int) -> float:
    """The learning rate of an epoch, which falls as nnU-Net's: (1 - epoch / epochs) ** 0.9."""
    own = settings["fine_tuning"]["learning_rate"]
    if own is None or not is_fine_tuning(settings, epoch):
        return _fallen(settings["learning_rate"], epoch, settings["epochs"])
    return _fallen(own, epoch - _first(settings), settings["fine_tuning"]["epochs"])


def _first(settings: dict[str, Any]) -> int:
    return settings["epochs"] - settings["fine_tuning"]["epochs"]


def _fallen(start: float, epoch: int, epochs: int) -> float:
    return start * (1 - epoch / epochs) ** EXPONENT


class Schedule:
    """Gives an optimizer the learning rate of each epoch; `step` is called by nnU-Net's trainer."""

    def __init__(self, optimizer: Any, settings: dict[str, Any]) -> None:
        self.optimizer, self.settings = optimizer, settings

    def step(self, epoch: int) -> None:
        """Set the learning rate of an epoch."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_in(self.settings, epoch)
