"""In which order scans are listed, and how good an order is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisy_student.review.quality import quality, wrong_ml
from noisy_student.review.ranking import at_stake_ml, features, likeness, ranked, with_changes

UNLIKE = pd.DataFrame(np.diag(np.full(5, 10.0)), index=list("abcde"))


def test_more_doubt_comes_first_where_scans_are_unlike():
    order = ranked(pd.Series([3.0, 9.0, 1.0, 4.0, 2.0], UNLIKE.index), UNLIKE)
    assert order.index.tolist() == list("bdaec")
    assert order.gain_ml.is_monotonic_decreasing and np.allclose(order.gain_ml, order.stake_ml, rtol=0.02)


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=12), st.integers(0, 2**16))
def test_an_order_has_each_scan_once_and_falls(doubts, seed):
    random = np.random.default_rng(seed)
    names = [f"case_{number}" for number in range(len(doubts))]
    order = ranked(pd.Series(doubts, names), pd.DataFrame(random.normal(size=(len(names), 4)), names))
    assert sorted(order.index) == sorted(names)
    assert (np.diff(order.gain_ml) <= 1e-3).all()


def crowd():
    """Ten scans of one kind, and three of other kinds."""
    random = np.random.default_rng(1)
    kinds = np.repeat([0, 1, 2, 3], [10, 1, 1, 1])
    table = np.eye(4)[kinds] * 10 + random.normal(0, 0.05, (13, 4))
    return pd.DataFrame(table, [f"kind_{kind}_{number}" for number, kind in enumerate(kinds)])


def test_ten_of_one_kind_do_not_fill_the_list():
    table = crowd()
    doubts = pd.Series(np.where(table.index.str.startswith("kind_0"), 100.0, 40.0), table.index)
    order = ranked(doubts, table)
    assert [name[:6] for name in order.index[:4]].count("kind_0") == 1
    assert order.alike.iloc[0] == pytest.approx(9, abs=0.5)


def test_corrected_scans_are_off_the_list_and_stand_for_their_like():
    table = crowd()
    order = ranked(pd.Series(10.0, table.index), table, ["kind_0_3"])
    assert "kind_0_3" not in order.index and len(order) == len(table) - 1
    assert not order.index[:3].str.startswith("kind_0").any()


def test_of_equal_doubt_the_scan_that_others_are_like_comes_first():
    table = crowd()
    order = ranked(pd.Series(10.0, table.index), table)
    assert order.index[0].startswith("kind_0") and order.gain_ml.iloc[0] > 50


def test_more_is_at_stake_where_the_teacher_is_less_sure_of_organs():
    rows = [("a", 1, 0.9), ("a", 2, 0.9), ("b", 1, 0.6), ("b", 2, 0.6), ("c", 1, 0.9), ("c", 2, np.nan)]
    scores = pd.DataFrame(rows, columns=["case", "label", "mean_max_probability"])
    measures = scores.assign(changed_ml=np.nan)
    doubt = pd.Series(100.0, list("abc"))
    stake = at_stake_ml(doubt, scores, measures)
    assert stake.a < stake.b < stake.c and stake.mean() == pytest.approx(100)
    assert (at_stake_ml(doubt, scores.assign(mean_max_probability=1.0), measures) == 0).all()
    changed = at_stake_ml(doubt, scores, measures.assign(changed_ml=[0, 0, 0, 0, 5.0, 1.0]))
    assert (changed - stake).tolist() == pytest.approx([0, 0, 6])


def test_organs_that_no_scan_shows_change_nothing():
    rows = [("a", 1, 0.9), ("a", 2, 0.8), ("b", 1, 0.6), ("b", 2, np.nan)]
    scores = pd.DataFrame(rows, columns=["case", "label", "mean_max_probability"])
    brain = pd.DataFrame({"case": ["a", "b"], "label": 3, "mean_max_probability": np.nan})
    doubt = pd.Series([50.0, 60.0], ["a", "b"])
    alone, beside = (
        at_stake_ml(doubt, table, table.assign(changed_ml=np.nan))
        for table in (scores, pd.concat([scores, brain], ignore_index=True))
    )
    assert beside.tolist() == pytest.approx(alone.tolist())
    assert at_stake_ml(doubt, brain, brain.assign(changed_ml=np.nan)).tolist() == doubt.tolist()


def test_tables_of_an_earlier_version_have_what_changed_estimated_and_others_as_it_was_measured():
    measures = pd.DataFrame(
        {"case": list("abc"), "volume_ml": [10.0, 0.0, 10.0], "organ_disagreement": [0.5, 1.0, np.nan]}
    )
    found, estimated = with_changes(measures)
    assert found.changed_ml.tolist()[:2] == [5, 0] and pd.isna(found.changed_ml[2]) and estimated == 2
    found, estimated = with_changes(measures.assign(changed_ml=[4.0, 8.0, np.nan]))
    assert found.changed_ml.tolist()[:2] == [4, 8] and estimated == 0
    found, estimated = with_changes(measures.assign(changed_ml=[np.nan, 8.0, np.nan]))
    assert found.changed_ml.tolist()[:2] == [5, 8] and estimated == 1


def test_likeness_is_1_of_equals_and_unknown_features_do_not_count():
    table = pd.DataFrame({"a": [1.0, 1.0, 5.0], "b": [2.0, np.nan, 2.0], "c": [7.0, 7.0, 7.0]})
    alike = likeness(table)
    assert alike[0, 1] == pytest.approx(1) and alike[0, 2] < 0.2
    assert np.allclose(alike, alike.T) and np.allclose(likeness(table[["c"]]), 1)


def test_scans_are_compared_by_organs_and_header():
    rows = [("a", 1, 0.9, 100.0), ("a", 2, np.nan, 0.0), ("b", 1, 0.8, 150.0), ("b", 2, 0.7, 10.0)]
    scores = pd.DataFrame(rows, columns=["case", "label", "mean_max_probability", "volume_ml"])
    header = {"spacing_x_mm": 1.0, "spacing_z_mm": [5.0, 2.5], "intensity_low": -1000, "intensity_high": 900}
    table = features(scores, pd.DataFrame({"case": ["b", "a"]} | header))
    assert table.index.tolist() == ["a", "b"] and table.spacing_z_mm.tolist() == [2.5, 5.0]
    assert table["volume 2"].tolist() == [0.0, np.log1p(10.0)]


def test_wrong_volume_is_what_label_and_truth_do_not_share():
    truth = pd.DataFrame({"case": ["a", "a", "b"], "truth_ml": [10.0, 5.0, 4.0], "prediction_ml": [6.0, 5.0, 0.0],
                          "DSC": [0.5, 1.0, 0.0]})  # fmt: skip
    assert wrong_ml(truth).to_dict() == {"a": 8.0, "b": 4.0}


def test_an_order_is_judged_by_what_its_first_scans_hold():
    wrong = pd.Series(np.arange(24.0), [f"{number:02}" for number in range(24)])
    worst_first = wrong.index[::-1].tolist()
    table = quality({"best": worst_first, "reversed": worst_first[::-1]}, wrong).set_index("order")
    assert table.loc["best", ["first", "share_of_worst", "rank"]].tolist() == [8, 1.0, pytest.approx(1)]
    assert table.loc["reversed", ["share_of_worst", "rank"]].tolist() == [0.0, pytest.approx(-1)]
    assert table.by_chance.eq(8 / 24).all()
