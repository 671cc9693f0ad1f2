import numpy as np

from noisy_student.train.masking import mask_organs, mask_voxels, with_ignore_label


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


def test_unsure_voxels_are_ignored_whatever_their_label():
    labels = np.array([[[[-1, 0, 1, 2]]]], np.int16)
    masked = mask_voxels(labels, np.array([[[False, True, True, False]]]), 14)
    assert masked.dtype == np.int16 and masked[0, 0, 0].tolist() == [-1, 14, 14, 2]
