"""One row of voxels for each thing that models can say of one."""

import numpy as np

from noisy_student.label.vote import Opinion, vote

ALL = frozenset({1, 2})
CROP = (slice(0, 1), slice(0, 1), slice(None))


def opinion(labels, confidence, known=ALL, undecided=False):
    return Opinion(np.array([[labels]], np.uint8), np.array([[confidence]], np.uint8), frozenset(known), undecided)


def said(*opinions, crop=CROP):
    label_map, confidence = vote(opinions, crop)
    assert label_map.dtype == confidence.dtype == np.uint8
    return label_map[0, 0].tolist(), confidence[0, 0].tolist()


def test_two_models_have_to_agree():
    first, second = opinion([1, 1, 1, 0, 0], [90, 80, 70, 60, 99]), opinion([1, 2, 0, 2, 0], [70, 80, 70, 60, 80])
    assert said(first, second) == ([1, 0, 0, 0, 0], [80, 0, 0, 0, 89])


def test_of_three_models_two_suffice_and_the_overruled_one_lowers_the_confidence():
    third = opinion([2, 1, 0, 0], [90, 90, 90, 90])
    first, second = opinion([1, 1, 1, 0], [90, 90, 90, 90]), opinion([1, 1, 1, 2], [60, 90, 90, 90])
    assert said(first, second, third) == ([1, 1, 1, 0], [50, 90, 60, 0])


def test_a_model_that_does_not_mark_an_organ_has_no_say_in_it_unless_it_says_another_one():
    liver, both = opinion([0, 1, 1, 0], [99, 80, 60, 90], {1}), opinion([2, 2, 1, 0], [70, 90, 80, 80])
    assert said(liver, both) == ([2, 0, 1, 0], [70, 0, 70, 85])


def test_what_may_be_part_of_an_organ_for_one_model_is_undecided_where_no_organ_wins():
    first, second = opinion([0, 0, 1], [0, 50, 0], undecided=True), opinion([0, 0, 1], [99, 99, 99])
    assert said(first, second) == ([0, 0, 1], [0, 74, 49])
    # Differing folds of a model without such labels leave the voxel decided.
    assert said(opinion([0], [0]), opinion([0], [0])) == ([0], [1])


def test_confidence_is_of_the_crop_and_taken_from_each_models_own_grid():
    first = Opinion(np.ones((1, 1, 6), np.uint8), np.array([[[80, 60]]], np.uint8), ALL)
    second = Opinion(np.ones((1, 1, 6), np.uint8), np.full((1, 1, 4), 100, np.uint8), ALL)
    assert said(first, second, crop=(slice(0, 1), slice(0, 1), slice(1, 5))) == ([1] * 6, [90, 90, 80, 80])


def test_where_no_model_finds_anything_all_is_background():
    assert said(opinion([0, 0], [99, 90]), opinion([0, 0], [97, 90])) == ([0, 0], [98, 90])
