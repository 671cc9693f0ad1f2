import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wilcoxon

from noisy_student.errors import InputError
from noisy_student.evaluate.comparison import COLUMNS, compare_rounds, holm
from noisy_student.evaluate.ranking import rank_rounds
from noisy_student.evaluate.signed_rank import signed_rank_p
from noisy_student.report.organ_tables import mark
from noisy_student.report.verdict import MIXED, certainty
from score_tables import scores

RANDOM = np.random.default_rng(0)
BEFORE = RANDOM.uniform(0.3, 0.9, (12, 13)).round(4)
AFTER = (BEFORE + RANDOM.normal(0.02, 0.02, (12, 13))).round(4)
AFTER[:3, 0] = BEFORE[:3, 0]


def row(table, label, measure="DSC", pair=(1, 0)):
    chosen = table[(table["label"] == label) & (table["measure"] == measure)]
    chosen = chosen[(chosen["round"] == pair[0]) & (chosen["against"] == pair[1])]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_an_organs_row_by_counting():
    table = compare_rounds({0: scores(BEFORE), 1: scores(AFTER)})
    assert table.columns.tolist() == list(COLUMNS)
    liver, differences = row(table, 1), (AFTER - BEFORE)[:, 0].round(10)
    assert liver["n"] == 12
    assert liver["difference"] == pytest.approx(differences.mean())
    assert liver["p_wilcoxon"] == pytest.approx(signed_rank_p(differences))
    assert liver["ties"] == 3
    assert liver["wins"] == (differences > 0).sum()
    assert liver["losses"] == (differences < 0).sum()
    assert liver["ci_low"] <= liver["difference"] <= liver["ci_high"]


def test_the_tests_direction_may_be_another_than_the_means():
    """Four scans of fifty are rescued, all others lose a little."""
    random = np.random.default_rng(0)
    before = 0.85 + 0.02 * random.standard_normal(50)
    after = before - np.abs(0.004 + 0.002 * random.standard_normal(50))
    before[:4], after[:4] = 0.05, 0.75
    overall = row(compare_rounds({0: scores(before), 1: scores(after)}), 0)
    assert overall["difference"] > overall["ci_low"] > 0 and overall["p_holm"] < 1e-4
    assert overall[["wins", "losses"]].tolist() == [4, 46] and -1 < overall["rank_biserial"] < 0
    assert certainty(overall) == MIXED and mark(overall) == ""
    assert mark(overall.drop("rank_biserial")) == "better"
    assert mark(row(compare_rounds({0: scores(before[4:]), 1: scores(after[4:])}), 0)) == "worse"


def test_the_overall_row_tests_the_cases_means():
    table = compare_rounds({0: scores(BEFORE), 1: scores(AFTER)})
    overall = row(table, 0)
    means = (AFTER - BEFORE).mean(axis=1)
    assert overall["organ"] == "mean"
    assert overall["difference"] == pytest.approx(means.mean())
    assert overall["p_holm"] == overall["p_wilcoxon"] == pytest.approx(wilcoxon(means, method="exact").pvalue)


def test_holm_is_over_the_organs_of_one_measure():
    table = compare_rounds({0: scores(BEFORE), 1: scores(AFTER)})
    organs = table[(table["label"] > 0) & (table["measure"] == "DSC")]
    assert organs["p_holm"].tolist() == pytest.approx(holm(organs["p_wilcoxon"].tolist()))
    assert len(organs) == 13


def test_every_round_meets_the_one_before_and_the_first():
    table = compare_rounds({number: scores(BEFORE + number / 100) for number in range(4)})
    pairs = set(zip(table["round"], table["against"], strict=True))
    assert pairs == {(1, 0), (2, 0), (2, 1), (3, 0), (3, 2)}
    assert row(table, 5, pair=(3, 0))["difference"] == pytest.approx(0.03)


def test_equal_rounds_are_all_ties():
    overall = row(compare_rounds({0: scores(BEFORE), 1: scores(BEFORE)}), 0)
    assert overall[["difference", "p_wilcoxon", "p_holm", "wins", "ties", "losses"]].tolist() == [0, 1, 1, 0, 12, 0]


def test_only_cases_of_both_rounds_count():
    later = scores([0.9, 0.9, 0.9], cases=["a", "b", "only later"])
    earlier = scores([0.8, np.nan, 0.7], cases=["a", "b", "only earlier"])
    assert row(compare_rounds({0: earlier, 1: later}), 1)["n"] == 1
    with pytest.raises(InputError, match="no test case"):
        compare_rounds({0: scores([0.5], cases=["x"]), 1: scores([0.5], cases=["y"])})


def test_roles_are_compared_apart():
    def both(test, validation):
        return pd.concat([scores([test]), scores([validation], role="validation", cases=["v"])])

    table = compare_rounds({0: both(0.5, 0.5), 1: both(0.6, 0.4)})
    means = table[(table["label"] == 0) & (table["measure"] == "DSC")].set_index("role")["difference"]
    assert means.to_dict() == pytest.approx({"test": 0.1, "validation": -0.1})


def test_one_round_has_nothing_to_compare():
    assert compare_rounds({0: scores(BEFORE)}).empty


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=13))
def test_holm_keeps_the_order_and_lies_between_p_and_bonferroni(p):
    corrected = holm(p)
    for value, adjusted in zip(p, corrected, strict=True):
        assert value <= adjusted <= min(1, value * len(p)) or adjusted == pytest.approx(value)
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(corrected)[order]) >= 0).all()


def partly(values):
    """Organ 1 is labelled in all cases, organ 2 in seven of them, the others in none."""
    values = values.copy()
    values[7:, 1] = values[:, 2:] = np.nan
    return scores(values)


def test_below_six_cases_there_is_neither_an_interval_nor_a_test():
    table = compare_rounds({0: scores(BEFORE[:5]), 1: scores(AFTER[:5])})
    assert table[["ci_low", "ci_high", "p_wilcoxon", "p_holm"]].isna().all(axis=None)
    assert row(table, 0)["difference"] == pytest.approx((AFTER - BEFORE)[:5].mean())


def test_only_pairs_of_labelled_organs_are_compared():
    table = compare_rounds({0: partly(BEFORE), 1: partly(AFTER)})
    differences = AFTER - BEFORE
    assert [row(table, label)["n"] for label in (1, 2, 3, 0)] == [12, 7, 0, 12]
    assert row(table, 2)["difference"] == pytest.approx(differences[:7, 1].mean())
    assert row(table, 3)[["difference", "ci_low", "p_wilcoxon", "p_holm"]].isna().all()
    assert row(table, 3)[["wins", "ties", "losses"]].tolist() == [0, 0, 0]
    means = np.nanmean(np.stack([differences[:, 0], np.where(np.arange(12) < 7, differences[:, 1], np.nan)]), axis=0)
    overall = row(table, 0)
    assert overall["difference"] == pytest.approx((differences[:, 0].mean() + differences[:7, 1].mean()) / 2)
    assert overall["p_wilcoxon"] == pytest.approx(signed_rank_p(means.round(10)))


def test_holm_counts_the_organs_that_were_tested():
    table = compare_rounds({0: partly(BEFORE), 1: partly(AFTER)})
    tested = [row(table, label) for label in (1, 2)]
    assert [one["p_holm"] for one in tested] == pytest.approx(holm([one["p_wilcoxon"] for one in tested]))
    assert holm([0.01, np.nan, 0.04]) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)


def test_scores_of_two_label_tables_are_refused():
    exchanged = scores(AFTER)
    exchanged["organ"] = exchanged["organ"].replace({"liver": "spleen", "spleen": "liver"})
    said = "label 1 is liver in round 0 and label 1 is spleen in round 1"
    with pytest.raises(InputError, match=said):
        compare_rounds({0: scores(BEFORE), 1: exchanged})
    with pytest.raises(InputError, match=said):
        rank_rounds({0: scores(BEFORE), 1: exchanged})
    with pytest.raises(InputError, match="label 13 is left kidney in round 0 and label 13 is none in round 1"):
        compare_rounds({0: scores(BEFORE), 1: scores(AFTER)[lambda table: table["label"] < 13]})
