import numpy as np

from noisy_student.boxes import box_of


def test_the_box_ends_with_the_outermost_voxels():
    values = np.zeros((5, 6, 7), np.uint8)
    values[1, 2, 6] = values[3, 0, 4] = 1
    assert box_of(values) == (slice(1, 4), slice(0, 3), slice(4, 7))


def test_of_nothing_it_is_empty():
    values = np.zeros((5, 6, 7), np.uint8)
    assert values[box_of(values)].shape == (0, 0, 0)
