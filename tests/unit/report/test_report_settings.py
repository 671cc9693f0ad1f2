"""What the report says of a round's settings: its own, or the run's."""

import json
from dataclasses import replace

import pytest

from methods_text import methods
from noisy_student.configuration.experiment import Configuration
from noisy_student.configuration.selection_rules import SELECTION
from noisy_student.files import write_text
from noisy_student.report.protocol import protocol
from noisy_student.report.results import read_results
from noisy_student.report.settings import (
    bounds_in_words,
    noise_in_words,
    rounds_in_words,
    targets,
    training_settings,
    voices,
    voxel_confidence,
)
from noisy_student.report.warnings import from_scratch
from synthetic_results import SyntheticRun

NETWORKS = {"networks": {"plain": {"encoder": "plain"}}, "cohort": {"kind": "embedded"}}


@pytest.fixture
def run():
    rounds = [
        {"network": "plain"},
        {"network": "plain", "noise": {"augmentation": "nnunet", "dropout": 0.1, "mixing": 0.5}, "voxel_confidence": 0},
        {"network": "plain", "noise": "none", "training": {"epochs": 7}},
    ]
    given = {"rounds": rounds, "noise": "strong", "voxel_confidence": {"organ": 0.5, "background": 0.99}}
    configuration = Configuration.model_validate(NETWORKS | given)
    return {"configuration": configuration.model_dump(mode="json")}


def test_a_round_is_said_to_have_its_own_noise_or_the_runs(run):
    words = [noise_in_words(training_settings(run, number)["noise"]) for number in range(3)]
    assert words == [
        "nnU-Net's augmentation DA5 without exchanged axes",
        "nnU-Net's augmentation, dropout 0.1, 50 % of batches mixed (CutMix)",
        "no augmentation",
    ]
    assert training_settings(run, 2)["epochs"] == 7


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A run of three rounds whose configuration is written over by a test."""
    return read_results(SyntheticRun().write(tmp_path_factory.mktemp("settings")))


def configured(results, **changes):
    """What the methods text and the protocol say with other settings."""
    configuration = results.run["configuration"] | changes
    rounds = [{"network": "standard"} | own for own in changes.get("rounds", [{}] * 3)]
    configuration = Configuration.model_validate(configuration | {"rounds": rounds}).model_dump(mode="json")
    changed = replace(results, run=results.run | {"configuration": configuration})
    return methods(changed), protocol(changed).data.set_index("what").T


def test_the_last_epochs_on_hand_labels_are_said_with_what_is_their_own(results):
    own = {"epochs": 10, "noise": {"augmentation": "none", "dropout": 0.1}, "learning_rate": 0.001}
    rounds = [{}, {"training": {"fine_tuning": {"epochs": 5}}}, {"training": {"fine_tuning": own}}]
    text, said = configured(results, rounds=rounds)
    words = "the last 10, no augmentation, dropout 0.1, learning rate from 0.001"
    assert f"hand-labelled scans alone: none in round 0; the last 5 in round 1; {words} in round 2." in text
    assert said["epochs on labelled scans alone"].tolist() == ["–", "the last 5", words]
    text, said = configured(results)
    assert "hand-labelled scans alone" not in text and said["epochs on labelled scans alone"].tolist() == [
        "–",
        "none",
        "none",
    ]


def test_the_first_weights_of_a_training_are_said(results):
    text, said = configured(results, rounds=[{}, {"start": "teacher"}, {"start": {"round": 0}}])
    words = "random (He) in round 0; its teacher's weights in round 1; weights of round 0 in round 2"
    assert f"First weights: {words}." in text
    assert said["initialisation"].tolist() == ["Random (He)", "Its teacher's weights", "Weights of round 0"]
    _, said = configured(results, rounds=[{}, {}, {"start": {"model": "a.zip"}}])
    assert said["initialisation"].iloc[2] == "Weights of a.zip"
    text, said = configured(results)
    assert "First weights: random (He)." in text


def test_weights_that_a_training_could_not_take_are_not_said_to_be_its_first(tmp_path):
    folder = SyntheticRun().write(tmp_path)
    names = ("plans.json", "checkpoint_final.pth"), ("plans.json",)
    for number, made_from in enumerate(names, 1):
        record = {"settings": {}, "sha256": dict.fromkeys(made_from, "a")}
        write_text(folder / f"round_{number}/model/fold_0/training.json", json.dumps(record))
    results = read_results(folder)
    assert [round_.took_weights for round_ in results.rounds] == [None, True, False]
    text, said = configured(results, rounds=[{}, {"start": "teacher"}, {"start": "teacher"}])
    random = "random (He), its teacher being another network"
    assert f"its teacher's weights in round 1; {random} in round 2." in text
    assert said["initialisation"].iloc[2] == f"R{random[1:]}"
    results.run["configuration"]["rounds"][1]["start"] = results.run["configuration"]["rounds"][2]["start"] = "teacher"
    [warned] = from_scratch(results)
    assert warned.startswith("Round 2 was to begin with its teacher's weights, and began with random ones")


def test_a_round_is_said_to_have_its_own_bounds_on_voxels_or_the_runs(run):
    assert voxel_confidence(run, 1) == {"organ": 0, "background": 0}
    assert voxel_confidence(run, 2) == {"organ": 0.5, "background": 0.99}


def test_a_round_is_said_to_have_its_own_voices_or_the_runs(run):
    run["configuration"]["rounds"][1]["training"]["voices"] = ["average", "thirds"]
    assert [voices(run, number) for number in range(3)] == [["final"], ["average", "thirds"], ["final"]]


def test_the_surface_rule_is_said_where_it_is_set():
    bounds = {"organ": 0.5, "background": 0.99}
    words = "less than 50% of organ, less than 99% of background"
    assert bounds_in_words(bounds) == words
    assert bounds_in_words(bounds | {"surface_mm": 7.5}) == f"{words} but for 7.5 mm around organs"
    assert bounds_in_words({"organ": 0, "background": 0, "surface_mm": 10.0}) == bounds_in_words({}) == ""


def test_runs_from_before_there_were_surfaces_and_soft_targets_are_said_nothing_of_them(run):
    older = {"voxel_confidence": {"organ": 0.5, "background": 0.99}, "rounds": [{"network": "plain"}] * 2}
    assert bounds_in_words(voxel_confidence({"configuration": older}, 1)) == (
        "less than 50% of organ, less than 99% of background"
    )
    assert targets({"configuration": older}, 1) is None
    assert [targets(run, number) for number in range(3)] == [None, "hard", "hard"]


def test_a_run_whose_settings_were_not_recorded_is_said_nothing_of():
    assert training_settings({}, 0) == {}
    assert voxel_confidence({}, 0) == {} and voices({}, 0) == []


def test_what_holds_in_all_rounds_is_said_once():
    assert rounds_in_words({0: "a", 1: "a"}) == "a" and rounds_in_words({1: "a"}, always=True) == "a in round 1"
    assert rounds_in_words({0: "a", 1: "b", 2: "a", 3: "a"}) == "a in rounds 0, 2 and 3; b in round 1"


def test_the_methods_text_names_the_voices_of_rounds_that_label(tmp_path):
    results = read_results(SyntheticRun(unlabelled=8).write(tmp_path))
    assert "these weights of each fold: the final ones." in methods(results)
    training = results.run["configuration"]["training"]
    training["voices"] = ["final", "thirds"]
    thirds = "those after a third and two thirds of the epochs (as in ST++, Yang et al., CVPR 2022)"
    assert f"these weights of each fold: the final ones and {thirds}." in methods(results)
    results.run["configuration"]["rounds"][0]["training"] = {"voices": ["final"]}
    assert f": the final ones in round 0; the final ones and {thirds} in round 1." in methods(results)


def test_balanced_bounds_are_said_in_words():
    said = bounds_in_words({"organ": "balanced", "background": 0.99})
    assert said == (
        "each organ's least sure voxels beyond the volume that the labelled scans let expect, "
        "less than 99% of background"
    )


def test_the_methods_text_names_each_rounds_own_rules_steps_and_draws(tmp_path):
    results = read_results(SyntheticRun(unlabelled=8).write(tmp_path))
    configuration = results.run["configuration"]
    configuration["selection"] = []
    configuration["training"] |= {"iterations_per_epoch": 50, "labelled_fraction": 0.3, "draw_rare_organs": True}
    before = methods(results)
    assert "kept by these rules: all (" in before and "40 epochs of 50 steps." in before
    assert "hand-labelled scans 0.3 of the time, and of pseudo-labelled scans more often scans with organs" in before
    rules = SELECTION.validate_python("confident")
    configuration["rounds"][2]["selection"] = [rule.model_dump() for rule in rules]
    configuration["rounds"][2]["training"] = {"iterations_per_epoch": 250}
    after = methods(results)
    assert "kept by these rules: all in round 1; organs at least 10; the best 65 % by" in after
    assert "40 epochs of 50 steps in rounds 0 and 1; 40 epochs of 250 steps in round 2." in after


def test_what_a_student_has_to_hold_up_to_is_said_with_what_came_of_it(tmp_path):
    results = read_results(SyntheticRun(unlabelled=8, collapsed=1).write(tmp_path))
    text = methods(results)
    assert "more than 0.05 lower than its teacher’s" in text and "its teacher labelled on." in text
    assert "This took effect in round 1 (left kidney: mean DSC 0.00, its teacher's 0.80)." in text
    assert "No rule ended the rounds early." in text
    results.run["configuration"]["stop"]["without_gain"] = True
    assert (
        "gained no more than 0.05 in mean DSC over its teacher on these scans. This did not come to pass."
        in methods(results)
    )
    results.rounds[1].verdict["stopped"] = "a gain of 0.010 in mean DSC is within the noise of 0.05"
    assert "They ended after round 1: a gain of 0.010" in methods(results)


def test_the_scans_of_each_fold_are_said(tmp_path):
    results = read_results(SyntheticRun(unlabelled=8, folds=2, labelled=7, at_least=0).write(tmp_path))
    text = methods(results)
    assert "Of the 5 folds folds 0 and 1 were trained" in text
    assert (
        "in round 0 (folds 0, 1: 5 hand-labelled; held out 2); in round 1 (folds 0, 1: 5 hand-labelled, 8 pseudo"
        in text
    )
