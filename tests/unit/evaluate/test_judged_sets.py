"""Scores of several sets: each is summarised, compared and ranked on its own, and all together only when asked."""

import pandas as pd
import pytest

from noisy_student.errors import InputError
from noisy_student.evaluate.aggregate import COLUMNS, summarise
from noisy_student.evaluate.comparison import compare_rounds
from noisy_student.evaluate.paper_table import paper_table
from noisy_student.evaluate.ranking import rank_rounds
from score_tables import in_sets, scores

BEFORE = in_sets(internal=[0.8, 0.9], external=[0.5, 0.4, 0.6])
AFTER = in_sets(internal=[0.9, 0.95], external=[0.4, 0.3, 0.5])


def means(table, value):
    of_mean = table[table["label"] == 0] if "label" in table else table
    of_mean = of_mean[of_mean["measure"] == "DSC"] if "measure" in of_mean else of_mean
    return of_mean.set_index("set")[value].to_dict()


def test_a_summary_has_the_rows_of_each_set_and_no_mean_over_them():
    summary = summarise(BEFORE)
    assert summary.columns.tolist() == ["role", "set", *COLUMNS[1:]]
    assert means(summary, "mean") == pytest.approx({"internal": 0.85, "external": 0.5})
    assert means(summary, "n") == {"internal": 2, "external": 3}


def test_pooled_sets_stand_besides_each_scan_counting_once():
    summary = summarise(BEFORE, pool_sets=True)
    assert means(summary, "mean") == pytest.approx({"internal": 0.85, "external": 0.5, "pooled": 0.64})
    whole = summarise(BEFORE.drop(columns="set"))
    pooled = summary[summary["set"] == "pooled"].drop(columns="set").reset_index(drop=True)
    pd.testing.assert_frame_equal(pooled, whole)


def test_a_role_of_one_set_has_nothing_to_pool():
    validation = scores([0.7], role="validation", cases=["v"]).assign(set="clinic")
    summary = summarise(pd.concat([BEFORE, validation]), pool_sets=True)
    assert set(summary.loc[summary["role"] == "validation", "set"]) == {"clinic"}


def test_rounds_are_compared_set_by_set():
    rounds = {0: BEFORE, 1: AFTER}
    table = compare_rounds(rounds, pool_sets=True)
    assert means(table, "difference") == pytest.approx({"internal": 0.075, "external": -0.1, "pooled": -0.03})
    assert means(table, "n") == {"internal": 2, "external": 3, "pooled": 5}
    assert set(compare_rounds(rounds)["set"]) == {"internal", "external"}


def test_a_set_that_one_round_did_not_score_is_named():
    with pytest.raises(InputError, match="no external test case scored in both"):
        compare_rounds({0: in_sets(internal=[0.8]), 1: in_sets(internal=[0.8], external=[0.5])})


def test_rounds_are_ranked_set_by_set_and_efficiency_is_of_the_set_where_it_was_measured():
    measured = {0: pd.DataFrame({"case": ["internal_0"], "seconds": [9.0]})}
    measured[1] = measured[0].assign(seconds=5.0)
    ranking = rank_rounds({0: BEFORE, 1: AFTER}, measured, pool_sets=True)
    assert ranking.columns[:3].tolist() == ["role", "set", "round"]
    first = ranking[ranking["place"] == 1].set_index("set")
    assert first["round"].to_dict() == {"internal": 1, "external": 0, "pooled": 0}
    assert first["n_seconds"].to_dict() == {"internal": 1, "external": 0, "pooled": 1}


def test_the_papers_table_is_of_one_set():
    summaries = {"round 0": summarise(BEFORE)}
    assert paper_table(summaries, "test", "DSC", "external")["n"].tolist() == [3]
    for name in (None, "exterior"):
        with pytest.raises(InputError, match="one of the sets internal, external"):
            paper_table(summaries, "test", "DSC", name)
    one = in_sets(internal=[0.8])
    assert paper_table({"round 0": summarise(one)}, "test", "DSC")["n"].tolist() == [1]
