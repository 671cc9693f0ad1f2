from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, wilcoxon

from noisy_student.evaluate.signed_rank import rank_biserial, signed_rank_p


@settings(deadline=None)
@given(
    st.lists(st.floats(0.001, 1).flatmap(lambda x: st.sampled_from([x, -x])), min_size=1, max_size=40, unique_by=abs)
)
def test_without_ties_it_is_scipys_exact_test(differences):
    expected = wilcoxon(differences, method="exact").pvalue
    assert signed_rank_p(np.array(differences)) == pytest.approx(expected)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_with_ties_it_counts_all_signs(differences):
    differences = np.array(differences)
    nonzero = differences[differences != 0]
    ranks = rankdata(np.abs(nonzero))
    sums = np.array([ranks[np.array(signs, bool)].sum() for signs in product((0, 1), repeat=len(nonzero))])
    observed = ranks[nonzero > 0].sum()
    expected = min(1, 2 * min((sums <= observed).mean(), (sums >= observed).mean()))
    assert signed_rank_p(differences) == pytest.approx(expected)


def test_two_hundred_cases_agree_with_the_normal_approximation():
    differences = np.random.default_rng(0).normal(0.1, 1, 200).round(1)
    expected = wilcoxon(differences, method="asymptotic", correction=True).pvalue
    assert signed_rank_p(differences) == pytest.approx(expected, rel=0.02)


def test_seven_gains_of_seven():
    assert signed_rank_p(np.full(7, 0.1)) == pytest.approx(2 / 2**7)


def test_no_difference_at_all():
    assert signed_rank_p(np.zeros(5)) == 1 and rank_biserial(np.zeros(5)) == 0


def test_the_ranks_balance_by_hand():
    """Ranks 1, 2, 3 and 4 of which that of the largest is positive; the zero has none."""
    assert rank_biserial(np.array([-1, 0, 9, -3, -2])) == pytest.approx((4 - 1 - 2 - 3) / 10)
    assert [rank_biserial(np.full(3, sign)) for sign in (1.0, -1.0)] == [1, -1]
