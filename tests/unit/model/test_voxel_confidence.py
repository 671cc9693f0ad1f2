import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from noisy_student.errors import InputError
from noisy_student.model.voxel_confidence import (
    confidence_map,
    counts_by_confidence,
    read_confidence,
    unsure_voxels,
    write_confidence,
)


def logits_of(*probabilities):
    """Logits (class, 1, 1, x) of voxels with these class probabilities."""
    return torch.log(torch.tensor(probabilities)).T[:, None, None]


def test_confidence_is_the_largest_probability_in_whole_per_cent_rounded_down():
    logits = logits_of((0.2, 0.799, 0.001), (0.981, 0.0095, 0.0095), (1 / 3, 1 / 3, 1 / 3))
    confidence = confidence_map(logits.half(), [])
    assert confidence.dtype == np.uint8
    assert confidence.tolist() == [[[79, 98, 33]]]


def test_where_folds_or_mirrored_passes_disagree_confidence_is_zero():
    logits = logits_of(*[(0.1, 0.9)] * 3)
    first, second, mirrored = (np.array([[row]], np.uint8) for row in ((1, 1, 1), (1, 0, 1), (1, 1, 0)))
    assert confidence_map(logits, [[first], [second]])[0, 0, 1] == 0
    assert (confidence_map(logits, [[first, mirrored], [second, second]])[0, 0] > 0).tolist() == [True, False, False]


@given(st.integers(1, 99))
def test_a_voxel_at_the_threshold_is_sure(percent):
    confidence = np.array([[[percent - 1, percent]]], np.uint8)
    for label, organ, background in ((0, 0, percent / 100), (-1, 0, percent / 100), (3, percent / 100, 0)):
        labels = np.full((1, 1, 2), label, np.int16)
        assert unsure_voxels(confidence, labels, [background, *[organ] * 3]).tolist() == [[[True, False]]]
        assert not unsure_voxels(confidence, labels, [organ, *[background] * 3]).any()


def test_a_students_finer_or_coarser_grid_takes_the_nearest_voxel():
    confidence = np.array([[[90, 10, 90, 90]]], np.uint8)
    fine, coarse = (np.ones((1, 1, size), np.int16) for size in (8, 2))
    assert unsure_voxels(confidence, fine, [0, 0.5])[0, 0].tolist() == [False, False, True, True] + [False] * 4
    assert unsure_voxels(confidence, coarse, [0, 0.5]).shape == (1, 1, 2)


def test_each_organ_has_its_own_bound():
    confidence, labels = np.full((1, 1, 4), 60, np.uint8), np.array([[[-1, 1, 2, 3]]], np.int16)
    assert unsure_voxels(confidence, labels, [0.7, 0, 0.61, 0.6])[0, 0].tolist() == [True, False, True, False]


def test_voxels_are_counted_by_label_and_confidence():
    labels = np.array([[[0, 1]], [[1, 3]]], np.uint8)
    counts = counts_by_confidence(labels, np.array([[[99, 40]], [[100, 0]]], np.uint8), 4)
    assert counts.shape == (4, 101) and counts.sum() == 4
    assert counts[0, 99] == counts[1, 40] == counts[1, 100] == counts[3, 0] == 1


def test_written_and_read_it_is_the_same_and_smaller(tmp_path):
    confidence = np.full((20, 64, 64), 99, np.uint8)
    confidence[5:9, 10:20] = 50
    write_confidence(confidence, tmp_path / "confidence/a.b2nd")
    assert (read_confidence(tmp_path / "confidence/a.b2nd") == confidence).all()
    assert (tmp_path / "confidence/a.b2nd").stat().st_size < confidence.size / 10


def test_a_damaged_map_is_an_error_that_names_it_and_the_remedy(tmp_path):
    path = tmp_path / "results/round_1/pseudo_labels/confidence/a.b2nd"
    write_confidence(np.full((9, 9, 9), 99, np.uint8), path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(InputError, match=r"a map of voxel confidence at .*a\.b2nd[\s\S]*--force results/round_1"):
        read_confidence(path)
