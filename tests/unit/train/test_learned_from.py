"""What is counted of a case: voxels of each label, those left out of the loss, and how soft the others are."""

import numpy as np

from noisy_student.train.learned_from import learned_from

NAMES = {0: "background", 1: "liver", 2: "spleen"}
IGNORE = 3
LABELS = np.array([[[-1, 0, 0, 1], [1, 1, 1, 2]]], np.int16)


def by_organ(labels, targets):
    rows = learned_from(labels, targets, IGNORE, NAMES)
    assert [(row["label"], row["organ"]) for row in rows] == list(NAMES.items())
    return {row["organ"]: tuple(row[name] for name in ("voxels", "left_out", "soft", "mean_share")) for row in rows}


def test_voxels_count_for_the_label_that_they_had_and_outside_is_background():
    ignored = np.array([[[[3, 0, 0, 3], [1, 1, 1, 3]]]], np.int16)
    assert by_organ(LABELS, ignored) == {
        "background": (3, 1, 0, 1.0),
        "liver": (4, 1, 0, 1.0),
        "spleen": (1, 1, 0, None),
    }


def test_without_an_ignore_label_all_is_learned_from():
    assert by_organ(LABELS, LABELS[None])["background"] == (3, 0, 0, 1.0)


def test_what_may_be_several_labels_counts_as_left_out():
    sets = np.array([[[[5, 5, 0, 1], [1, 1, 5, 2]]]], np.int16)
    assert by_organ(LABELS, sets) == {"background": (3, 2, 0, 1.0), "liver": (4, 1, 0, 1.0), "spleen": (1, 0, 0, 1.0)}


def test_softness_is_that_of_the_voxels_that_are_learned_from():
    first = np.array([[[-1, 0, 0, 3], [1, 2, 1, 2]]], np.int16)
    share = np.array([[[100, 94, 95, 50], [60, 80, 100, 99]]], np.int16)
    found = by_organ(LABELS, np.stack([first, first, share]))
    assert found["background"][:3] == (3, 0, 1) and np.isclose(found["background"][3], (1 + 0.94 + 0.95) / 3)
    assert found["liver"][:3] == (4, 1, 2) and np.isclose(found["liver"][3], 0.8)
    assert found["spleen"] == (1, 0, 0, 0.99)
