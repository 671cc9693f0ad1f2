import numpy as np
import pandas as pd
import pytest

from noisy_student.evaluate.shared_scans import grouped, only, shared_scans
from score_tables import scores

CASES = ["a", "b", "c"]


def table(scans=("1", "2", "3"), truths=("4", "5", "6"), cases=CASES):
    return pd.DataFrame({"case": cases, "sha256": scans, "labels_sha256": truths})


def why(cases, rounds):
    return shared_scans(cases, rounds).set_index("case")["left_out"]


def test_all_are_shared_where_nothing_differs():
    found = why({"x": table(), "y": table()}, {name: {0: scores([0.5] * 3, cases=CASES)} for name in "xy"})
    assert found.index.tolist() == CASES and found.isna().all()


def test_a_scan_that_one_did_not_judge_is_left_out():
    rounds = {"x": {0: scores([0.5] * 3, cases=CASES)}, "y": {0: scores([0.5] * 2, cases=CASES[:2])}}
    assert why({"x": table(), "y": table()}, rounds).dropna().to_dict() == {"c": "not judged in y"}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"scans": ("1", "9", "3")}, "another scan of this name in y"),
        ({"truths": ("4", "9", "6")}, "another truth in y"),
        ({"truths": ("4", None, "6")}, "another truth in y"),
    ],
)
def test_another_checksum_is_named_for_what_it_is(other, said):
    rounds = {name: {0: scores([0.5] * 3, cases=CASES)} for name in "xy"}
    assert why({"x": table(), "y": table(**other)}, rounds).dropna().to_dict() == {"b": said}


def test_a_scan_without_a_score_in_one_round_is_left_out_of_all():
    rounds = {"x": {0: scores([0.5] * 3, cases=CASES), 1: scores([0.5, 0.5, np.nan], cases=CASES)}}
    rounds["y"] = {0: scores([0.5] * 3, cases=CASES)}
    scans = shared_scans({"x": table(), "y": table()}, rounds)
    assert scans.set_index("case")["left_out"].dropna().to_dict() == {"c": "without a score in round 1 of x"}
    assert set(only(rounds["y"][0], scans)["case"]) == {"a", "b"}


def test_a_scan_of_two_roles_is_shared_by_neither():
    rounds = {"x": {0: scores([0.5], cases=["a"])}, "y": {0: scores([0.5], cases=["a"], role="validation")}}
    found = shared_scans({"x": table(), "y": table()}, rounds)
    assert found.values.tolist() == [["test", "a", "not judged in y"], ["validation", "a", "not judged in x"]]


def test_test_sets_of_their_own_names_are_judged_apart():
    both = pd.concat([scores([0.5], cases=["a"]).assign(set="external"), scores([0.5], cases=["b"]).assign(set=None)])
    assert grouped(both).drop_duplicates("case")[["case", "role"]].values.tolist() == [
        ["a", "test, external"],
        ["b", "test"],
    ]


def test_a_scan_of_which_other_organs_were_judged_is_left_out():
    liver_alone = np.full((3, 13), 0.5)
    liver_alone[1, 1:] = np.nan
    rounds = {"x": {0: scores([0.5] * 3, cases=CASES)}, "y": {0: scores(liver_alone, cases=CASES)}}
    assert why({"x": table(), "y": table()}, rounds).dropna().to_dict() == {"b": "other organs judged in y"}
    rounds["x"] = rounds["y"]
    assert why({"x": table(), "y": table()}, rounds).isna().all()
