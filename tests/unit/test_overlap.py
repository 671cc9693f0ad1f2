import numpy as np
import pytest
from hypothesis import given, settings

from noisy_student.overlap import dice, slice_overlaps, truth_slices
from strategies import label_map_pairs


@settings(deadline=None, max_examples=60)
@given(label_map_pairs())
def test_counts_are_those_of_every_pair_of_labels(pair):
    truth, prediction = pair
    for axis in range(3):
        overlaps = slice_overlaps(truth, prediction, 13, axis)
        assert len(overlaps) == truth.shape[axis]
        for a in range(14):
            for b in range(14):
                both = (truth == a) & (prediction == b) & ((truth != 0) | (prediction != 0))
                others = tuple(i for i in range(3) if i != axis)
                np.testing.assert_array_equal(overlaps[:, a, b], both.sum(axis=others))


def test_dice_by_hand():
    truth, prediction = np.zeros((2, 1, 4), np.uint8), np.zeros((2, 1, 4), np.uint8)
    truth[0, 0, :3] = 5
    prediction[0, 0, 1:] = 5
    assert dice(slice_overlaps(truth, prediction, 13), 5) == pytest.approx(2 * 2 / (3 + 3))


@pytest.mark.parametrize(
    ("occupied", "closed", "expected"),
    [
        ((2, 3, 6), False, slice(2, 6)),
        ((2, 3, 6), True, slice(2, 7)),
        ((4,), False, slice(4, 5)),
        ((4,), True, slice(4, 5)),
    ],
)
def test_the_truths_slices(occupied, closed, expected):
    truth = np.zeros((8, 2, 2), np.uint8)
    truth[list(occupied)] = 10
    assert truth_slices(slice_overlaps(truth, np.full_like(truth, 10), 13), 10, closed) == expected
