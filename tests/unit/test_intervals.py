import numpy as np
import pytest

from noisy_student.intervals import mean_interval, mean_over_organs


def test_the_interval_of_many_cases_is_the_normal_ones():
    values = np.random.default_rng(0).normal(0.8, 0.1, (400, 1))
    low, high = mean_interval(values)
    half_width = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half_width, abs=0.002)
    assert high == pytest.approx(values.mean() + half_width, abs=0.002)


def test_the_seed_fixes_it():
    values = np.random.default_rng(1).random((20, 13))
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval(values) != mean_interval(values, seed=2)


def test_whole_cases_are_drawn():
    """Organs that make up for each other within every case leave no uncertainty about their mean."""
    first = np.random.default_rng(2).random(30)
    low, high = mean_interval(np.stack([first, 1 - first], axis=1))
    assert (low, high) == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize("cases", [0, 1])
def test_too_few_cases_have_none(cases):
    assert np.isnan(mean_interval(np.ones((cases, 3)))).all()


def test_a_mean_over_organs_counts_each_organ_alike_in_the_cases_that_have_it():
    values = np.array([[0.9, 0.5, np.nan], [0.7, np.nan, np.nan], [0.8, np.nan, np.nan]])
    assert mean_over_organs(values) == pytest.approx((0.8 + 0.5) / 2)
    assert mean_over_organs(np.stack([values, values + 0.1])) == pytest.approx([0.65, 0.75])


def test_an_organ_that_a_resample_lacks_leaves_its_interval_defined():
    values = np.random.default_rng(3).normal(0.8, 0.02, (12, 2))
    values[1:, 1] = np.nan
    low, high = mean_interval(values)
    assert 0.7 < low < mean_over_organs(values) < high < 0.9
