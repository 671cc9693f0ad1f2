import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisy_student.configuration.numbering import numbering_errors, renumbered
from noisy_student.organs import FLARE22
from noisy_student.sparse import IGNORE, ignore_label

ORGANS = FLARE22[:3]
# AMOS numbers them so.
AMOS = {"liver": 6, "right kidney": 2, "spleen": 1}


@given(st.lists(st.integers(0, 15), min_size=1, max_size=40), st.sampled_from([np.uint8, np.int16, np.float32]))
def test_each_voxel_keeps_its_organ(values, dtype):
    out = renumbered(np.array(values, dtype), AMOS, ORGANS)
    assert out.dtype == np.uint8
    assert out.tolist() == [{6: 1, 2: 2, 1: 3}.get(value, 0) for value in values]


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float64])
def test_large_and_negative_numbers_are_those_of_the_organ_that_comes_last(dtype):
    numbers = {"liver": [205, 820], "right kidney": [-1, 205], IGNORE: 421}
    label_map = np.array([[[0, 205], [500, 820]], [[-1, 421], [205, 0]]], dtype)
    expected = np.zeros(label_map.shape, np.uint8)
    for number, label in ((205, 1), (820, 1), (-1, 2), (205, 2), (421, ignore_label(ORGANS))):
        expected[label_map == number] = label
    out = renumbered(label_map, numbers, ORGANS)
    assert out.dtype == np.uint8
    np.testing.assert_array_equal(out, expected)


def test_what_is_no_whole_number_is_no_organ():
    assert renumbered(np.array([5.5, 6.0, np.nan]), AMOS, ORGANS).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        (AMOS | {"bladder": 14}, "bladder: no such organ"),
        ({"liver": 6, "spleen": 1}, "right kidney: without a number"),
        (AMOS | {"spleen": [1, 2]}, "each number names one organ"),
        (AMOS | {"spleen": 0}, "0 is background"),
    ],
)
def test_what_is_wrong_with_a_numbering_is_said(numbers, said):
    assert numbering_errors(AMOS, ORGANS) == []
    assert said in "; ".join(numbering_errors(numbers, ORGANS))


def test_where_only_some_organs_are_labelled_only_these_need_a_number():
    assert numbering_errors({"liver": 6}, ORGANS, ["liver"]) == []
    assert "spleen: without a number" in numbering_errors({"liver": 6}, ORGANS, ["liver", "spleen"])[0]
    assert renumbered(np.array([6, 2, 1]), {"liver": 6}, ORGANS).tolist() == [1, 0, 0]
