"""How much of a label map is in doubt, of which organs, and on which slices."""

import numpy as np
import pytest

from noisy_student.geometry import Geometry
from noisy_student.model.voxel_confidence import mask_on_scan
from noisy_student.organs import Organ
from noisy_student.review.doubt import OrganDoubt, by_organ, doubt_ml, minutes, needing_eyes
from noisy_student.review.places import in_words, numbers, runs

LIVER, SPLEEN = ORGANS = (Organ(label=1, name="liver"), Organ(label=3, name="spleen"))
SURE = 99


def grid():
    """Labels with a liver below and a spleen above, and a teacher that is sure of all of it."""
    labels = np.zeros((8, 6, 6), np.uint8)
    labels[1:4, 1:3, 1:3], labels[5:8, 3:5, 3:5] = 1, 3
    return labels, np.full(labels.shape, SURE, np.uint8)


def test_doubt_is_what_confidence_lacks_and_most_where_networks_disagree():
    _, confidence = grid()
    assert doubt_ml(confidence, 2.0) == 0
    confidence[0, 0, 0] = 55
    half = doubt_ml(confidence, 2.0)
    confidence[0, 0, 0] = 0
    assert half == pytest.approx(2 * 0.4) and doubt_ml(confidence, 2.0) == pytest.approx(2 * 0.95)


def test_doubt_in_background_is_of_the_runner_up_or_else_of_the_nearest_organ():
    labels, confidence = grid()
    confidence[2, 1, 1] = confidence[2, 0, 1] = 50
    nearest = by_organ(confidence, labels, None, ORGANS, 1.0)
    assert nearest.shape == (2, 8) and nearest[0].tolist() == [0, 0, pytest.approx(0.9), 0, 0, 0, 0, 0]
    soft = np.stack([labels, np.full_like(labels, 3), labels])
    runner_up = by_organ(confidence, labels, soft, ORGANS, 1.0)
    assert runner_up[:, 2] == pytest.approx([0.45, 0.45])
    assert not by_organ(confidence, np.zeros_like(labels), None, ORGANS, 1.0).any()


def test_organs_that_hold_most_doubt_need_eyes_and_those_that_may_have_been_missed():
    ml = np.array([[0, 0, 8, 9, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0.1, 0]], float)
    (liver,) = needing_eyes(ml, [100.0, 50.0], ORGANS, range(10, 26), True)
    assert liver.organ is LIVER and liver.ml == 18 and liver.slices == (14, 15, 16, 17)
    _, spleen = needing_eyes(ml, [100.0, 0.0], ORGANS, range(10, 26), True)
    assert spleen.is_missing and spleen.slices == (22, 23)
    assert len(needing_eyes(ml, [100.0, 0.2], ORGANS, range(8), True)) == 2


def test_an_organ_outside_of_the_scan_needs_no_eyes_where_doubt_can_be_of_missed_organs():
    ml = np.array([[0, 0, 8, 0], [0, 0, 0, 0]], float)
    assert [found.organ for found in needing_eyes(ml, [100.0, 0.0], ORGANS, range(4), True)] == [LIVER]
    _, spleen = needing_eyes(ml, [100.0, 0.0], ORGANS, range(4), False)
    assert spleen.organ is SPLEEN and spleen.is_missing and not spleen.slices
    assert needing_eyes(np.zeros((2, 4)), [0.0, 0.0], ORGANS, range(4), True) == []


def test_more_slices_take_longer():
    short, long = (OrganDoubt(LIVER, 3, 9, tuple(range(count))) for count in (2, 20))
    assert minutes([], 5) < minutes([short], 5) < minutes([long], 5) < minutes([long], 10)


def test_what_is_true_of_the_networks_grid_lies_in_its_crop_of_the_scan():
    doubtful = np.zeros((2, 2, 2), bool)
    doubtful[1, 0, 1] = True
    found = mask_on_scan(doubtful, (slice(1, 5), slice(0, 4), slice(2, 6)), (6, 5, 7))
    assert found.sum() == 8 and found[3:5, 0:2, 4:6].all()


def test_slices_are_counted_as_the_file_stores_them():
    assert numbers([0, 3, 4], 10, "LPS") == [1, 4, 5] and numbers([0, 3, 4], 10, "LPI") == [6, 7, 10]
    assert runs([1, 4, 5, 6, 9]) == "1, 4-6, 9"
    canonical = Geometry((4, 4, 10), (1.0, 1.0, 5.0), (0.0, 0.0, -100.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
    words = in_words(OrganDoubt(SPLEEN, 12.3, 123.4, (3, 4)), canonical, "RAI")
    assert words == "spleen: 12 ml in doubt of 123 ml, slices 6-7 (S -85 to -80 mm)"
    assert in_words(OrganDoubt(SPLEEN, 0.0, 0.0, ()), canonical, "RAI") == "spleen: not found"
