"""The exponential moving average of a network's weights over a training.

Tarvainen and Valpola, Mean teachers are better role models, NeurIPS 2017.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from noisy_student.model.checkpoints import read_checkpoint

# The time constant is the training's steps divided by this.
TIME_CONSTANTS = 20
ENTRY = "average"


def decay_of(steps: int) -> float:
    """What remains of the average with each of a training's steps."""
    return max(0.0, 1 - TIME_CONSTANTS / steps)


class MovingAverage:
    """Of a network's parameters p: with each step the average becomes decay · average + (1 - decay) · p.

    It begins with the parameters as they are. nnU-Net's networks have no other weights.
    """

    def __init__(self, network: torch.nn.Module, steps: int) -> None:
        self.parameters = list(network.parameters())
        self.weights = _copy(self.parameters)
        self._average = get_ema_multi_avg_fn(decay_of(steps))

    def update(self) -> None:
        """Take in the parameters after a step."""
        self._average(self.weights, self.parameters, None)

    @contextmanager
    def in_network(self) -> Iterator[None]:
        """For the length of a block the network's parameters are the average."""
        trained = _copy(self.parameters)
        _give(self.weights, self.parameters)
        try:
            yield
        finally:
            _give(trained, self.parameters)

    def add_to(self, checkpoint: Path) -> None:
        """Put the average into a checkpoint that the trainer has just written."""
        torch.save(read_checkpoint(checkpoint) | {ENTRY: self.weights}, checkpoint)

    def load(self, checkpoint: Path) -> None:
        """Go on from the average in a checkpoint."""
        _give(read_checkpoint(checkpoint)[ENTRY], self.weights)


def _copy(weights: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in weights]


@torch.no_grad()
def _give(source: Sequence[torch.Tensor], target: Sequence[torch.Tensor]) -> None:
    for value, weight in zip(source, target, strict=True):
        weight.copy_(value)
