import numpy as np
import pytest
import torch

from noisy_student.errors import InputError
from noisy_student.model.soft_labels import FIRST, SECOND, SHARE, read_soft_labels, soft_labels, write_soft_labels
from noisy_student.model.translation import translation
from noisy_student.model.windows import background
from noisy_student.organs import Organ


@pytest.mark.parametrize("dtype", [torch.float32, torch.half])
def test_they_are_the_two_largest_probabilities_and_the_share_of_the_first(dtype):
    logits = (4 * torch.randn(5, 3, 4, 6, generator=torch.Generator().manual_seed(1))).to(dtype)
    two, classes = logits.float().softmax(0).topk(2, 0)
    found = soft_labels(logits)
    assert found.dtype == np.uint8 and found.shape == (3, 3, 4, 6)
    assert (found[FIRST] == classes[0].numpy()).all() and (found[SECOND] == classes[1].numpy()).all()
    assert np.abs(found[SHARE] - 100 * (two[0] / two.sum(0)).numpy()).max() <= 0.51
    assert found[SHARE].min() >= 50


def test_a_models_own_classes_that_mean_the_same_count_together():
    """Two organs that the label table lacks are background together: more than the organ between them."""
    meaning = translation({"liver": 1, "spleen": 2, "aorta": 3}, [Organ(4, "liver")], "model")
    probabilities = torch.tensor([0.1, 0.4, 0.3, 0.2])
    found = soft_labels(probabilities.log()[:, None, None, None], meaning)
    assert found.ravel().tolist() == [0, 4, 60]


def test_classes_of_unknown_meaning_have_no_share():
    """A tumour may be a part of the liver, so it is no background."""
    meaning = translation({"liver": 1, "tumour": 2}, [Organ(4, "liver")], "model")
    probabilities = torch.tensor([[0.1, 0.5, 0.4], [0.0, 0.0, 1.0]]).T
    found = soft_labels(probabilities.log()[:, None, None], meaning)
    assert found[:, 0, 0, 0].tolist() == [4, 0, 83]
    assert found[2, 0, 0, 1] == 50


def test_background_that_no_window_covers_is_certain():
    for passes in (1, 80):
        logits = background(14, torch.zeros(1, dtype=torch.half))[:, None, None, None] * passes
        assert torch.isfinite(logits).all()
        assert soft_labels(logits / passes)[[FIRST, SHARE]].ravel().tolist() == [0, 100]


def test_they_come_back_as_they_were_and_a_damaged_file_is_named(tmp_path):
    soft = np.random.default_rng(1).integers(0, 100, (3, 4, 5, 6)).astype(np.uint8)
    path = tmp_path / "a.b2nd"
    write_soft_labels(soft, path)
    assert (read_soft_labels(path) == soft).all()
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match=r"a\.b2nd"):
        read_soft_labels(path)
