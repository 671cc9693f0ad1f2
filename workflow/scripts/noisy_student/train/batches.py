"""Training batches that depend on the seed and their number alone.

Batch n is the same whichever worker makes it, however many there are, and whether the training ran through or
was resumed. nnU-Net's own loaders draw from generators that are seeded anew at every start.
"""

import random
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import torch
from batchgenerators.dataloading.multi_threaded_augmenter import MultiThreadedAugmenter

SECONDS_BETWEEN_LOOKS = 0.002

# The data loader that makes batch n.
LoaderOf = Callable[[int], Any]
# How often each case is drawn for batch n; None for all alike.
Chances = Callable[[int], np.ndarray | None]


def seed_everything(*entropy: int) -> None:
    """Seed Python, numpy and torch from several numbers."""
    state = np.random.SeedSequence(entropy).generate_state(3)
    random.seed(int(state[0]))
    np.random.seed(int(state[1]))
    torch.manual_seed(int(state[2]))


class NumberedBatches:
    """Batches number `first`, `first + 1`, …, each of its data loader, dealt over workers in turn."""

    def __init__(
        self, loader_of: LoaderOf, seed: int, stream: int, first: int, workers: int, chances: Chances | None
    ) -> None:
        self.loader_of = loader_of
        self.chances = chances
        self.entropy = (seed, stream)
        self.number = first
        self.workers = workers

    def set_thread_id(self, worker: int) -> None:
        """Called once in each worker's process: start at its first batch, on one thread."""
        torch.set_num_threads(1)
        self.number += worker

    def __next__(self) -> dict[str, Any]:
        seed_everything(*self.entropy, self.number)
        loader = self.loader_of(self.number)
        if self.chances:
            loader.sampling_probabilities = self.chances(self.number)
        self.number += self.workers
        return next(loader)


class WaitedFor(MultiThreadedAugmenter):
    """Batches, and how many seconds they were waited for so far."""

    waited_s = 0.0

    def __next__(self) -> dict[str, Any]:
        start = perf_counter()
        batch = super().__next__()
        self.waited_s += perf_counter() - start
        return batch


def numbered_augmenter(
    loader_of: LoaderOf,
    seed: int,
    stream: int,
    first: int,
    workers: int,
    pin_memory: bool,
    chances: Chances | None = None,
) -> WaitedFor:
    """Worker processes that hand out numbered batches in order."""
    batches = NumberedBatches(loader_of, seed, stream, first, workers, chances)
    return WaitedFor(
        batches, None, workers, seeds=[None] * workers, pin_memory=pin_memory, wait_time=SECONDS_BETWEEN_LOOKS
    )
