"""The rules, against the plain evaluation of whole volumes and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noisy_student.evaluate.evaluation_modes import MODES
from noisy_student.evaluate.judged_pair import JudgedPair
from noisy_student.evaluate.verdicts import judge, slice_axis
from noisy_student.geometry import Geometry
from noisy_student.organs import FLARE22, Organ
from plain_evaluation import plain_scores
from strategies import label_map_pairs, spacings_mm

IDENTITY = (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)
HEAD_ALONG_X = (0, 0, 1.0, 0, 1.0, 0, -1.0, 0, 0)
AORTA, LIVER = 5, 1


def pair_of(truth_zyx, prediction_zyx, spacing_mm=(1.0, 1.0, 1.0), direction=IDENTITY):
    geometry = Geometry(truth_zyx.T.shape, spacing_mm, (0.0, 0.0, 0.0), direction)
    return JudgedPair(truth_zyx.copy(), prediction_zyx.copy(), geometry)


def verdict(label, truth_zyx, prediction_zyx, mode="flare22"):
    return judge(pair_of(truth_zyx * np.uint8(label), prediction_zyx * np.uint8(label)), MODES[mode], FLARE22).verdicts[
        label - 1
    ]


def test_an_organ_is_judged_alike_in_a_larger_label_table():
    """Labels that share their last four binary digits, side by side."""
    random = np.random.default_rng(3)
    truth, prediction = random.integers(0, 3, (2, 5, 6, 7), np.uint8)
    organs = tuple(Organ(label, f"organ {label}", tolerance_mm=1.0) for label in range(1, 41))
    far_apart = np.array([0, 2, 34], np.uint8)
    judged = judge(pair_of(far_apart[truth], far_apart[prediction]), MODES["flare22"], organs).verdicts
    expected = judge(pair_of(truth, prediction), MODES["flare22"], organs[:2]).verdicts
    assert (judged[1].dsc, judged[1].nsd) == (expected[0].dsc, expected[0].nsd)
    assert (judged[33].dsc, judged[33].nsd) == (expected[1].dsc, expected[1].nsd)
    assert 0 < judged[1].nsd < 1


@settings(deadline=None, max_examples=150)
@given(label_map_pairs(), spacings_mm, st.sampled_from(sorted(MODES)), st.sampled_from([IDENTITY, HEAD_ALONG_X]))
def test_equals_the_plain_evaluation(pair, spacing_mm, mode, direction):
    truth, prediction = pair
    judged = judge(pair_of(truth, prediction, spacing_mm, direction), MODES[mode], FLARE22)
    axis = 0 if mode == "strict" and direction == HEAD_ALONG_X else 2
    expected = plain_scores(truth.T, prediction.T, spacing_mm, mode, axis)
    assert [v.dsc for v in judged.verdicts] == [dsc for dsc, _ in expected]
    assert [v.nsd for v in judged.verdicts] == pytest.approx([nsd for _, nsd in expected], abs=1e-12)
    for label in range(1, 14):
        assert judged.voxels[label].sum() == (truth == label).sum()
        assert judged.voxels[:, label].sum() == (prediction == label).sum()


def block(shape, *slices):
    mask = np.zeros(shape, np.uint8)
    mask[slices] = 1
    return mask


EMPTY = np.zeros((4, 6, 6), np.uint8)
FULL = block((4, 6, 6), slice(0, 4), slice(1, 5), slice(1, 5))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("truth", "prediction", "expected"),
    [
        (EMPTY, EMPTY, (1, 1, "both empty")),
        (EMPTY, FULL, (0, 0, "truth empty")),
        (FULL, EMPTY, (0, 0, "prediction empty")),
        (FULL, FULL, (1, 1, "compared")),
    ],
)
def test_empty_and_equal_organs(truth, prediction, expected, mode):
    assert verdict(LIVER, truth, prediction, mode) == expected


def test_a_low_dsc_costs_the_nsd_in_flare23plus_alone():
    prediction = block((4, 6, 6), slice(0, 1), slice(1, 3), slice(1, 3))
    old, new = (verdict(LIVER, FULL, prediction, mode) for mode in ("flare22", "flare23plus"))
    assert old.dsc == new.dsc == pytest.approx(2 * 4 / (64 + 4))
    assert old.nsd > 0
    assert new[1:] == (0, "compared, NSD 0 below DSC 0.2")


def test_the_top_slice_of_a_vessel_counts_in_strict_alone():
    wrong_on_top = FULL.copy()
    wrong_on_top[3] = 0
    assert verdict(AORTA, FULL, wrong_on_top, "flare22") == (1, 1, "z-limited")
    assert verdict(AORTA, FULL, wrong_on_top, "strict").dsc == pytest.approx(2 * 48 / (64 + 48))


def test_a_vessel_predicted_beyond_the_truth_is_not_punished():
    truth = FULL.copy()
    truth[[0, 3]] = 0
    assert verdict(AORTA, truth, FULL, "strict") == (1, 1, "z-limited")
    assert verdict(LIVER, truth, FULL, "strict").dsc < 1


@pytest.mark.parametrize("mode", MODES)
def test_a_one_slice_aorta_is_judged_on_that_slice(mode):
    truth = FULL.copy()
    truth[1:] = 0
    assert verdict(AORTA, truth, FULL, mode) == (1, 1, "z-limited to one slice")


def test_a_vessel_found_on_other_slices_alone_scores_zero():
    truth, prediction = FULL.copy(), FULL.copy()
    truth[2:], prediction[:2] = 0, 0
    assert verdict(AORTA, truth, prediction)[:2] == (0, 0)


def test_the_slice_axis():
    geometry = Geometry((2, 3, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), HEAD_ALONG_X)
    assert slice_axis(geometry, MODES["flare22"]) == 0
    assert slice_axis(geometry, MODES["strict"]) == 2


def test_rounding_is_numpys():
    assert MODES["flare22"].rounded(0.00625) == 0.0062
    assert MODES["strict"].rounded(0.00625) == 0.00625
