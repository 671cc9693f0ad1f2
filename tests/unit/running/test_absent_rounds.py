"""Targets of rounds that the configuration lacks are told from those that it has, and from all others."""

import pytest

from noisy_student.running.absent_rounds import in_words

CHAIN = ["0", "1"]


@pytest.mark.parametrize(
    "target", ["round_2", "review_3", "results/round_10/model.zip", "./results/round_2", "round_01"]
)
def test_a_round_that_is_not_there_names_those_that_are_and_the_key(target):
    said = f"No {target}: the configuration (a.yaml, b.yaml) has rounds 0 to 1. Each further entry of `rounds` adds one"
    assert in_words([target], CHAIN, ["a.yaml", "b.yaml"]) == [said]
    assert "has round 0 alone." in in_words([target], CHAIN[:1], ["a.yaml"])[0]


@pytest.mark.parametrize("target", ["round_deploy", "results/round_deploy/openvino"])
def test_a_student_to_be_deployed_that_is_not_there_names_its_section(target):
    (said,) = in_words([target], CHAIN, ["a.yaml"])
    assert (
        said == f"No {target}: the configuration (a.yaml) has no student to be deployed. The section `deploy` adds one"
    )
    assert in_words([target], [*CHAIN, "deploy"], ["a.yaml"]) == []


def test_of_other_targets_and_files_that_are_there_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/round_7").mkdir(parents=True)
    others = [
        "round_1",
        "review_1",
        "results/round_1/none.tsv",
        "all",
        "around_7",
        "other/round_7/a",
        "results/round_7",
    ]
    assert in_words(others, CHAIN, []) == []


@pytest.mark.parametrize("target", ["review_0", "review_deploy"])
def test_what_has_no_pseudo_labels_of_its_own_to_review_names_the_reviews_that_there_are(target):
    (said,) = in_words([target], [*CHAIN, "2", "deploy"], [])
    assert said.startswith(f"No {target}: review_1 to review_2 list the pseudo-labels of a round")
    assert "with a second entry of `rounds` review_1 lists" in in_words([target], ["0", "deploy"], [])[0]
