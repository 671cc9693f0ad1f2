import numpy as np
import pytest
import torch

from noisy_student.train.batches import numbered_augmenter


class Loader:
    """A loader that draws from every generator, as nnU-Net's does."""

    def __next__(self):
        return {"data": torch.rand(3) + float(np.random.rand())}


def batches(count, first=0, workers=1, seed=1, stream=0):
    augmenter = numbered_augmenter(Loader(), seed, stream, first, workers, pin_memory=False)
    try:
        return [next(augmenter)["data"].tolist() for _ in range(count)]
    finally:
        augmenter._finish()


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

    augmenter = numbered_augmenter(Drawing(), 1, 0, 1, workers, pin_memory=False, chances=chances)
    try:
        assert [int(next(augmenter)["data"]) for _ in range(4)] == [0, 0, 1, 1]
    finally:
        augmenter._finish()
