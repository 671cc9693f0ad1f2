import numpy as np
import pandas as pd
import pytest

from noisy_student.evaluate.aggregate import COLUMNS, by_case, summarise
from score_tables import scores

RANDOM = np.random.default_rng(0).random((11, 13)).round(4)


def row(summary, label, measure="DSC", role="test"):
    chosen = summary[(summary["label"] == label) & (summary["measure"] == measure) & (summary["role"] == role)]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_an_organs_row_by_numpy():
    summary = summarise(scores(RANDOM, 1 - RANDOM))
    assert summary.columns.tolist() == list(COLUMNS)
    for measure, values in (("DSC", RANDOM[:, 2]), ("NSD", 1 - RANDOM[:, 2])):
        spleen = row(summary, 3, measure)
        assert spleen["organ"] == "spleen"
        assert spleen["n"] == 11
        assert spleen["mean"] == pytest.approx(values.mean())
        assert spleen["median"] == pytest.approx(np.median(values))
        assert spleen["sd"] == pytest.approx(values.std(ddof=1))
        assert [spleen["q1"], spleen["q3"]] == pytest.approx(np.quantile(values, [0.25, 0.75]))
        assert values.min() < spleen["ci_low"] < values.mean() < spleen["ci_high"] < values.max()
        assert spleen["failures"] == (RANDOM[:, 2] < 0.5).sum()


def test_the_mean_row_takes_organs_over_cases_first():
    overall = row(summarise(scores(RANDOM)), 0)
    assert overall["organ"] == "mean"
    assert overall["mean"] == pytest.approx(RANDOM.mean(axis=0).mean())
    assert overall["median"] == pytest.approx(np.median(RANDOM.mean(axis=1)))
    assert overall["failures"] == (RANDOM < 0.5).sum()


def test_a_dsc_of_exactly_one_half_is_no_failure():
    assert row(summarise(scores([0.5, 0.4999])), 1)["failures"] == 1


def test_roles_stand_apart_and_are_not_required():
    table = pd.concat([scores([0.2], role="validation", cases=["v"]), scores([0.8, 0.9])])
    summary = summarise(table)
    assert row(summary, 0, role="validation")["mean"] == pytest.approx(0.2)
    assert row(summary, 0)["mean"] == pytest.approx(0.85)
    assert row(summarise(table.drop(columns="role")), 0, role="all")["n"] == 3


def test_unscored_cases_are_left_out_of_n():
    table = scores([0.8, np.nan, 0.6])
    assert by_case(table, "DSC").index.tolist() == ["case_0", "case_2"]
    assert row(summarise(table), 1)["n"] == 2
    assert row(summarise(table), 0)["mean"] == pytest.approx(0.7)


def test_below_six_cases_there_is_no_interval():
    few, enough = (row(summarise(scores(RANDOM[:cases])), 0) for cases in (5, 6))
    assert np.isnan(few["ci_low"]) and np.isnan(few["ci_high"]) and few["sd"] > 0
    assert enough["ci_low"] < enough["mean"] < enough["ci_high"]


def test_one_case_and_none():
    assert np.isnan(row(summarise(scores([0.7])), 0)[["sd", "ci_low"]].astype(float)).all()
    nothing = row(summarise(scores([np.nan])), 0)
    assert nothing["n"] == 0
    assert np.isnan(nothing["mean"])


PARTLY = RANDOM.copy()
PARTLY[4:, 2] = PARTLY[::2, 7] = PARTLY[:, 12] = np.nan


def test_an_organ_is_summarised_over_the_cases_in_which_it_is_labelled():
    summary = summarise(scores(PARTLY))
    assert [row(summary, label)["n"] for label in (1, 3, 8, 13, 0)] == [11, 4, 5, 0, 11]
    assert row(summary, 3)["mean"] == pytest.approx(RANDOM[:4, 2].mean())
    assert row(summary, 3)["failures"] == (RANDOM[:4, 2] < 0.5).sum()
    assert np.isnan(row(summary, 13)["mean"]) and row(summary, 13)["failures"] == 0


def test_the_mean_row_counts_each_labelled_organ_alike():
    overall = row(summarise(scores(PARTLY)), 0)
    of_organs = np.nanmean(PARTLY[:, :12], axis=0)
    assert overall["mean"] == pytest.approx(of_organs.mean())
    assert overall["median"] == pytest.approx(np.median(np.nanmean(PARTLY, axis=1)))
    assert overall["failures"] == (PARTLY < 0.5).sum()
    assert overall["ci_low"] < overall["mean"] < overall["ci_high"]


def test_rows_that_are_not_there_are_as_empty_ones():
    table = scores(PARTLY)
    pd.testing.assert_frame_equal(summarise(table[table["DSC"].notna()]), drop_label(summarise(table), 13))


def drop_label(summary, label):
    return summary[summary["label"] != label].reset_index(drop=True)
