import numpy as np
import pytest
import torch
from scipy.special import softmax

from noisy_student.model.certainty import certainty_of, label_map_on_grid
from noisy_student.model.scores import SCORES, Certainty, agreement, dsc, fold_pairs, mirror_pairs, score_table

ORGANS = {"liver": 1, "spleen": 2, "gallbladder": 3}
CLASSES = 4
EMPTY = np.zeros((2, 3, 3), np.uint8)


def body(**voxels):
    """A label map with so many voxels of each organ, from the first on."""
    label_map = EMPTY.copy()
    values = [ORGANS[name] for name, count in voxels.items() for _ in range(count)]
    label_map.ravel()[: len(values)] = values
    return label_map


def table_of(passes=(), label_map=EMPTY, voxels=(0, 4, 0, 0)):
    certainty = Certainty(np.array(voxels, float), np.array([0, 3.0, 0, 0]), np.array([0, 1.0, 0, 0]))
    return score_table(ORGANS, certainty, passes, label_map, (5.0, 2.0, 2.0)).set_index("organ")


def test_columns_are_those_that_are_explained():
    assert set(table_of().reset_index()) == set(SCORES)


def test_probability_and_entropy_are_means_over_the_organs_voxels():
    table = table_of()
    assert table.mean_max_probability["liver"] == 0.75 and table.mean_entropy["liver"] == 0.25
    assert table.loc[["spleen", "gallbladder"], ["mean_max_probability", "mean_entropy"]].isna().all().all()


def test_volume_is_of_the_scans_own_grid():
    table = table_of(label_map=body(spleen=5))
    assert table.voxels.to_dict() == {"liver": 0, "spleen": 5, "gallbladder": 0}
    assert table.volume_ml["spleen"] == pytest.approx(5 * 0.02)


def test_dsc_is_the_formula_and_1_where_neither_has_the_organ():
    found = dsc(body(liver=4, spleen=2), body(liver=6, gallbladder=1), CLASSES)
    assert found[1:] == pytest.approx([2 * 4 / 10, 0, 0])
    assert dsc(body(liver=4), body(liver=4), CLASSES)[1:] == pytest.approx([1, 1, 1])


def test_folds_are_compared_in_pairs_as_they_are_and_mirrored_scans_within_their_fold():
    first, second, third, mirrored = body(liver=4), body(liver=6), body(liver=8), body(liver=2)
    passes = [[first, mirrored], [second, second], [third, third]]
    assert fold_pairs(passes) == [(first, second), (first, third), (second, third)]
    assert mirror_pairs(passes) == [(first, mirrored), (second, second), (third, third)]
    table = table_of(passes)
    assert table.fold_agreement["liver"] == pytest.approx(np.mean([8 / 10, 8 / 12, 12 / 14]))
    assert table.mirror_agreement["liver"] == pytest.approx(np.mean([4 / 6, 1, 1]))
    assert (table.loc[["spleen", "gallbladder"], ["fold_agreement", "mirror_agreement"]] == 1).all().all()


def test_with_nothing_to_compare_there_is_no_agreement():
    assert table_of()[["fold_agreement", "mirror_agreement"]].isna().all().all()
    one_fold_mirrored = table_of([[body(liver=4), body(liver=4)]])
    assert one_fold_mirrored.fold_agreement.isna().all() and (one_fold_mirrored.mirror_agreement == 1).all()
    assert np.isnan(agreement([], CLASSES)).all()


def test_sums_of_certainty_are_those_of_the_softmax():
    logits = np.random.default_rng(0).normal(size=(14, 6, 7, 8)).astype(np.float32) * 3
    logits[3] = -100
    found, label_map = certainty_of(torch.from_numpy(logits))
    probabilities = softmax(logits.astype(float), axis=0)
    labels = logits.argmax(0)
    entropy = -(probabilities * np.log(probabilities)).sum(0) / np.log(14)
    for label in range(1, 14):
        inside = labels == label
        assert found.voxels[label] == inside.sum()
        assert found.max_probability[label] == pytest.approx(probabilities.max(0)[inside].sum(), rel=1e-5)
        assert found.entropy[label] == pytest.approx(entropy[inside].sum(), rel=1e-4)
    assert found.voxels[3] == 0
    assert (label_map.numpy() == labels).all() and (label_map_on_grid(torch.from_numpy(logits)) == labels).all()


def test_large_logits_do_not_overflow():
    logits = torch.full((14, 1, 1, 1), -60000.0, dtype=torch.half)
    logits[5] = 60000.0
    found, _ = certainty_of(logits)
    assert found.max_probability[5] == 1 and found.entropy[5] == 0


def test_all_classes_alike_have_the_largest_entropy():
    logits = torch.zeros(14, 1, 1, 1)
    logits[1] = 1e-6
    assert certainty_of(logits)[0].entropy[1] == pytest.approx(1, abs=1e-6)
