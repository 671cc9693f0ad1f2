import numpy as np
import pytest
import torch

from noisy_student.learning.predictor import SCORES, organ_scores
from noisy_student.organs import FLARE22

PROPERTIES = {"spacing": [5.0, 2.0, 2.0]}


def test_scores_are_those_of_the_softmax():
    logits = torch.from_numpy(np.random.default_rng(0).normal(size=(14, 6, 7, 8)).astype(np.float32) * 3)
    logits[3] = -100
    label_map = np.random.default_rng(1).integers(0, 14, (9, 9, 9)).astype(np.uint8)
    table = organ_scores(logits, label_map, PROPERTIES)
    assert list(table.columns) == list(SCORES)
    assert list(table.label) == [organ.label for organ in FLARE22]
    highest, found = torch.softmax(logits, 0).max(0)
    for row in table.itertuples():
        voxels = found == row.label
        expected = highest[voxels].mean().item() if voxels.any() else float("nan")
        assert row.mean_max_probability == pytest.approx(expected, rel=1e-5, nan_ok=True)
        assert row.voxels == (label_map == row.label).sum()
        assert row.volume_ml == pytest.approx(row.voxels * 0.02)


def test_an_organ_that_is_found_nowhere_has_no_probability():
    logits = torch.zeros(14, 2, 2, 2)
    logits[0] = 1
    table = organ_scores(logits, np.zeros((2, 2, 2), np.uint8), PROPERTIES)
    assert table.mean_max_probability.isna().all()
    assert (table.voxels == 0).all()


def test_large_logits_do_not_overflow():
    logits = torch.full((14, 1, 1, 1), -60000.0)
    logits[5] = 60000.0
    table = organ_scores(logits, np.zeros((1, 1, 1), np.uint8), PROPERTIES).set_index("label")
    assert table.mean_max_probability[5] == 1
