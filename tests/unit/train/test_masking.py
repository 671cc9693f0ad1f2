import tracemalloc

import numpy as np
from scipy.ndimage import distance_transform_edt

from noisy_student.train.masking import mask_organs, mask_voxels, near_found, with_ignore_label


def test_the_ignore_label_is_the_highest_and_the_description_stays_as_it_was():
    description = {"labels": {"background": 0, "liver": 1, "spleen": 3}}
    assert with_ignore_label(description)["labels"]["ignore"] == 4
    assert "ignore" not in description["labels"]


def test_an_organ_and_the_background_around_it_are_ignored_but_no_other_organ():
    labels = np.array([[[[-1, 0, 0, 1, 1, 2, 0, 0, 0]]]], np.int16)
    masked = mask_organs(labels, [1], ignore=14, spacing_mm_zyx=(5, 5, 5))
    assert masked.dtype == np.int16
    assert masked[0, 0, 0].tolist() == [-1, 14, 14, 14, 14, 2, 14, 0, 0]


def test_an_organ_that_is_not_there_masks_nothing():
    labels = np.array([[[[0, 1]]]], np.int16)
    assert mask_organs(labels, [2], 14, (1, 1, 1)) is labels


def test_around_a_small_organ_of_a_large_scan_little_memory_is_needed():
    labels = np.zeros((1, 60, 100, 100), np.int16)
    labels[0, 20:24, 30:40, 50:58], labels[0, 26, 30:40, 50:58] = 1, 2
    spacing = (3.0, 1.2, 1.5)
    tracemalloc.start()
    masked = mask_organs(labels, [1], 14, spacing)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    near = distance_transform_edt(labels[0] != 1, sampling=spacing) <= 10
    assert (masked[0] == np.where((labels[0] == 1) | (near & (labels[0] == 0)), 14, labels[0])).all()
    assert peak < 8 * labels.size


def test_unsure_voxels_are_ignored_whatever_their_label():
    labels = np.array([[[[-1, 0, 1, 2]]]], np.int16)
    masked = mask_voxels(labels, np.array([[[False, True, True, False]]]), 14)
    assert masked.dtype == np.int16 and masked[0, 0, 0].tolist() == [-1, 14, 14, 2]


def test_background_is_near_where_its_runner_up_was_found_and_never_elsewhere():
    labels = np.array([[[0, 0, 0, 1, 2, 0, 0, -1, 0]]], np.int16)
    runner_up = np.array([[[1, 1, 1, 0, 0, 2, 1, 2, 2]]], np.uint8)
    found = {organs: near_found(runner_up, labels, organs, (9, 9, 5), 10) for organs in ((1,), (2,), (1, 2), (3,))}
    assert found[1,][0, 0].nonzero()[0].tolist() == [1, 2]
    assert found[2,][0, 0].nonzero()[0].tolist() == [5]
    assert found[1, 2][0, 0].nonzero()[0].tolist() == [1, 2, 5]
    assert not found[3,].any()


def test_distances_are_millimetres_along_each_axis():
    labels, runner_up = np.zeros((5, 5, 5), np.int16), np.ones((5, 5, 5), np.uint8)
    labels[2, 2, 2] = 1
    near = near_found(runner_up, labels, [1], (8, 3, 2), 4)
    assert near.sum() == 2 + 2 + 4 + 2 and near[2, 3, 3] and not near[1, 2, 2] and near[2, 2, 0]
