import time

import numpy as np
import pytest
import torch

from noisy_student.train.batches import numbered_augmenter


class Loader:
    """A loader that draws from every generator, as nnU-Net's does."""

    def __next__(self):
        return {"data": torch.rand(3) + float(np.random.rand())}


def batches(count, first=0, workers=1, seed=1, stream=0):
    loader = Loader()
    augmenter = numbered_augmenter(lambda _: loader, seed, stream, first, workers, pin_memory=False)
    try:
        return [next(augmenter)["data"].tolist() for _ in range(count)]
    finally:
        augmenter._finish()


def test_what_batches_are_waited_for_is_counted():
    class Slow(Loader):
        def __next__(self):
            time.sleep(0.2)
            return super().__next__()

    slow = Slow()
    augmenter = numbered_augmenter(lambda _: slow, 1, 0, 0, 1, pin_memory=False)
    try:
        next(augmenter)
        waited_s = augmenter.waited_s
        next(augmenter)
    finally:
        augmenter._finish()
    assert waited_s >= 0.2 and augmenter.waited_s > waited_s


@pytest.fixture(scope="module")
def expected():
    return batches(9)


@pytest.mark.parametrize("workers", [2, 3])
def test_batches_do_not_depend_on_the_number_of_workers(expected, workers):
    assert batches(9, workers=workers) == expected


def test_a_resumed_training_goes_on_with_the_next_batch(expected):
    assert batches(4, first=5, workers=2) == expected[5:]


def test_batches_differ_by_number_seed_and_stream(expected):
    assert len({tuple(batch) for batch in expected}) == 9
    assert batches(1, seed=2)[0] != expected[0]
    assert batches(1, stream=1)[0] != expected[0]


@pytest.mark.parametrize("workers", [1, 2])
def test_how_often_cases_are_drawn_follows_the_number_of_the_batch(workers):
    class Drawing:
        sampling_probabilities = None

        def __next__(self):
            return {"data": torch.tensor(np.random.choice(2, p=self.sampling_probabilities))}

    def chances(number):
        return [1, 0] if number < 3 else [0, 1]

    drawing = Drawing()
    augmenter = numbered_augmenter(lambda _: drawing, 1, 0, 1, workers, pin_memory=False, chances=chances)
    try:
        assert [int(next(augmenter)["data"]) for _ in range(4)] == [0, 0, 1, 1]
    finally:
        augmenter._finish()


@pytest.mark.parametrize("workers", [1, 2])
def test_which_loader_makes_a_batch_follows_its_number(expected, workers):
    class Other(Loader):
        def __next__(self):
            return {"data": -super().__next__()["data"]}

    loaders = [Loader(), Other()]
    augmenter = numbered_augmenter(lambda number: loaders[number > 5], 1, 0, 4, workers, pin_memory=False)
    try:
        found = [next(augmenter)["data"] for _ in range(4)]
    finally:
        augmenter._finish()
    assert [batch.tolist() for batch in (*found[:2], -found[2], -found[3])] == expected[4:8]
