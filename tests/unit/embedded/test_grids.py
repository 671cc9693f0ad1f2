"""From the fine grid to the scan's."""

import numpy as np
import pytest

from noisy_student.embedded.grids import fine_axes, majority_of_blocks, mean_of_blocks


def test_fine_voxels_fill_whole_voxels_that_cover_the_ends():
    z, y, x = fine_axes(((0, 10), (-7, 7), (0, 3)), (5, 4, 4))
    assert z.tolist() == [2.5, 7.5]
    assert y.tolist() == [-6, -4, -2, 0, 2, 4, 6, 8]
    assert x.tolist() == [1, 3]


def test_a_voxel_is_the_mean_of_its_fine_ones():
    fine = np.array([[[0, 0, 8, 8], [0, 4, 8, 8]]], np.float32)
    assert mean_of_blocks(fine).tolist() == [[[1, 8]]]


@pytest.mark.parametrize(
    ("block", "label"), [((1, 1, 2, 1), 1), ((0, 0, 5, 5), 5), ((0, 0, 0, 5), 0), ((0, 0, 2, 3), 0), ((0, 0, 0, 0), 0)]
)
def test_a_voxel_has_the_most_frequent_label_of_its_fine_ones(block, label):
    assert majority_of_blocks(np.array(block, np.uint8).reshape(1, 2, 2)).tolist() == [[[label]]]
