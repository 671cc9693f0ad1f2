import numpy as np
import pandas as pd
import pytest

from noisy_student.evaluate.aggregate import summarise
from noisy_student.evaluate.experiments import (
    compare_experiments,
    number_of_tests,
    pairs,
    rank_experiments,
    summarise_experiments,
)
from noisy_student.evaluate.signed_rank import FEWEST_CASES, least_p, signed_rank_p
from score_tables import scores

RANDOM = np.random.default_rng(0)
BASE = RANDOM.uniform(0.3, 0.9, (8, 13)).round(4)


def shifted(by, spread=0.01, cases=8):
    return scores((BASE[:cases] + RANDOM.normal(by, spread, (cases, 13))).round(4))


def means(table):
    return table[table["label"] == 0]


def test_equal_rounds_meet_then_the_last_ones():
    rounds = {"base": dict.fromkeys((0, 1)), "longer": dict.fromkeys((0, 1, 2)), "shorter": dict.fromkeys((0,))}
    assert list(pairs(rounds)) == [
        ("longer", 0, 0),
        ("longer", 1, 1),
        ("longer", 2, 1),
        ("shorter", 0, 0),
        ("shorter", 0, 1),
    ]


def test_holm_is_over_every_test_by_hand():
    """Four tests: DSC and NSD of two experiments. The smallest p counts four times, the largest once.

    A gain in all of 8 scans: p = 2 / 256. With one loss, the smallest change of all: 4 / 256.
    """
    one_loss = BASE + 0.01
    one_loss[0] = BASE[0] - 0.005
    rounds = {"base": {0: scores(BASE)}, "gain": {0: scores(BASE + 0.01)}, "mixed": {0: scores(one_loss)}}
    rounds["gain"][0]["NSD"] = rounds["base"][0]["NSD"]
    table = means(compare_experiments(rounds)).set_index(["experiment", "measure"])
    assert table["p_wilcoxon"].tolist() == pytest.approx([2 / 256, 1, 4 / 256, 4 / 256])
    assert table["p_holm"].tolist() == pytest.approx([8 / 256, 1, 12 / 256, 12 / 256])
    assert number_of_tests(table) == 4


def test_single_organs_have_an_interval_and_no_test():
    table = compare_experiments({"base": {0: scores(BASE)}, "other": {0: shifted(0.02)}})
    organs = table[table["label"] > 0]
    assert len(organs) == 26 and organs["ci_low"].notna().all()
    assert organs[["p_wilcoxon", "p_holm", "rank_biserial"]].isna().all(axis=None)
    assert set(table["baseline"]) == {"base"}


@pytest.mark.parametrize("cases", [FEWEST_CASES - 1, FEWEST_CASES])
def test_fewer_than_six_scans_have_neither_interval_nor_test(cases):
    rounds = {"base": {0: shifted(0, cases=cases)}, "other": {0: shifted(0.02, cases=cases)}}
    summary, table = summarise_experiments(rounds), means(compare_experiments(rounds))
    enough = cases == FEWEST_CASES
    assert summary["ci_low"].notna().all() == summary["ci_high"].notna().any() == enough
    for column in ("ci_low", "ci_high", "p_wilcoxon", "p_holm"):
        assert table[column].notna().all() == table[column].notna().any() == enough
    assert table["difference"].notna().all() and number_of_tests(table) == (2 if enough else 0)
    assert (least_p(cases) < 0.05) == enough


def test_least_p_is_that_of_a_gain_in_every_case():
    assert [least_p(cases) for cases in (1, 6, 9)] == [signed_rank_p(np.ones(cases)) for cases in (1, 6, 9)]


def test_the_summary_is_that_of_a_single_run():
    rounds = {"base": {0: shifted(0), 2: shifted(0.01)}, "other": {1: shifted(0.02)}}
    table = summarise_experiments(rounds)
    of_one = table[(table["experiment"] == "base") & (table["round"] == 2)].drop(columns=["experiment", "round"])
    pd.testing.assert_frame_equal(of_one.reset_index(drop=True), summarise(rounds["base"][2]))


def test_every_round_is_a_team_of_the_ranking():
    rounds = {"base": {0: scores([0.5] * 6), 1: scores([0.6] * 6)}, "other": {0: scores([0.7] * 6)}}
    seconds = pd.DataFrame({"case": [f"case_{n}" for n in range(6)], "seconds": 1.0})
    ranking = rank_experiments(rounds, {"base": {0: seconds, 1: seconds}, "other": {}})
    assert ranking[["experiment", "round", "place"]].values.tolist() == [
        ["other", 0, 1],
        ["base", 1, 2],
        ["base", 0, 3],
    ]
    assert set(ranking["n_seconds"]) == {0}
