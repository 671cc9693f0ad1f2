import numpy as np

from noisy_student.train.filling import filled, not_found

# Labelled by hand: 1. Its background may be background, 2 or 3; 4 is the ignore label and 5 the set's code.
MAY_BE, UNTRUSTED, CODE = (0, 2, 3), 4, 5
HAND = np.array([[[1, 1, 0, 0, -1, 0, 0, 0]]], np.int16)


def voxels(*values):
    return np.array([[list(values)]], np.int16)


def test_hand_labels_win_and_what_the_teacher_may_not_say_or_is_not_trusted_in_stays_a_set():
    teacher = voxels(2, 0, 2, 0, -1, 1, UNTRUSTED, 3)[None]
    found = filled(HAND, teacher, MAY_BE, CODE)
    assert found.dtype == np.int16 and found.shape == teacher.shape
    assert found.ravel().tolist() == [1, 1, 2, 0, -1, CODE, CODE, 3]


def test_a_first_class_that_is_labelled_by_hand_elsewhere_leaves_the_set_and_a_second_one_gives_its_share_away():
    first = voxels(2, 0, 2, 1, 0, 1, UNTRUSTED, 3)
    second = voxels(3, 1, 0, 2, 1, 1, UNTRUSTED, 2)
    share = voxels(60, 70, 80, 90, 55, 100, 100, 51)
    found = filled(HAND, np.stack([first, second, share]), MAY_BE, CODE)
    assert found.dtype == np.int16
    assert found[0].ravel().tolist() == [1, 1, 2, CODE, 0, CODE, CODE, 3]
    assert found[1].ravel().tolist() == [1, 1, 0, CODE, 0, CODE, CODE, 2]
    assert found[2].ravel().tolist() == [100, 100, 80, 100, 100, 100, 100, 51]


def test_a_teacher_that_missed_organs_fills_in_background_as_what_it_may_be():
    """The code of its background, in both classes; where it is not trusted the voxel is of the larger set."""
    background = CODE + 1
    first = voxels(2, 0, 2, 0, -1, 1, UNTRUSTED, 3)
    second = voxels(3, 1, 0, 2, -1, 1, UNTRUSTED, 2)
    share = voxels(60, 70, 80, 90, 100, 100, 100, 51)
    found = filled(HAND, np.stack([first, second, share]), MAY_BE, CODE, background)
    assert found[0].ravel().tolist() == [1, 1, 2, background, background, CODE, CODE, 3]
    assert found[1].ravel().tolist() == [1, 1, background, 2, background, CODE, CODE, 2]
    assert found[2].ravel().tolist() == [100, 100, 80, 90, 100, 100, 100, 51]
    alone = filled(HAND, first[None], MAY_BE, CODE, background)
    assert found.dtype == alone.dtype == np.int16 and np.array_equal(alone, found[:1])


def test_an_organ_is_found_from_half_of_its_usual_volume_on():
    usual_ml = {"liver": 1500.0, "spleen": 200.0, "pancreas": 0.0}
    found_ml = {"liver": 750.1, "spleen": 100.0, "pancreas": 0.0, "aorta": 1.0}
    organs = ["liver", "spleen", "pancreas", "aorta", "stomach"]
    assert not_found(organs, found_ml, usual_ml) == ("spleen", "pancreas", "stomach")
