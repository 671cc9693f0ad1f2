import numpy as np
import pytest

from noisy_student.intervals import mean_interval


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
