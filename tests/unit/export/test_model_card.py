import json
from pathlib import Path

import pandas as pd
import pytest

from noisy_student.errors import InputError
from noisy_student.evaluate.aggregate import summarise
from noisy_student.export.model_card import model_card
from noisy_student.export.round_card import as_trained, learned_from, refuse_repetition
from score_tables import in_sets, scores


def card(table, pool_sets=False):
    training_set = pd.DataFrame({"case": ["a"], "origin": ["labelled"], "masked": [""]})
    return model_card("0", {"liver": 1}, {"epochs": 1}, [], training_set, summarise(table, pool_sets), {})


def test_scores_of_sets_stand_in_tables_of_their_own():
    table = in_sets(internal=[0.8, 0.9], external=[0.5])
    text = card(table)
    assert "2 “internal” test scans\n" in text and "1 “external” test scans\n" in text
    assert text.count("| mean |") == 2
    assert "3 pooled test scans of 2 sets\n" in card(table, pool_sets=True)


def student_card(**more):
    origins = {"a": "labelled", "b": "labelled", "b+filled": "filled", "u": "pseudo"}
    training_set = pd.DataFrame({"case": origins.keys(), "origin": origins.values(), "masked": ""})
    return model_card("2", {"liver": 1}, {"epochs": 1}, [], training_set, summarise(scores([0.8]), False), {}, **more)


def test_filled_scans_are_counted_once_and_it_is_said_whose_labels_there_are():
    text = student_card(teacher=0)
    assert "2 hand-labelled scans (1 of them filled by round 0) and 1 labelled by round 0" in text
    assert "held out" not in text


def test_scans_in_which_only_some_voxels_are_labelled_are_counted():
    rows = {"case": list("abc"), "origin": ["labelled", "labelled", "pseudo"], "masked": ""}
    training_set = pd.DataFrame(rows | {"labelled_share": [0.1, None, None]})
    labels = {"liver": 1, "ignore": 2}
    text = model_card("1", labels, {"epochs": 1}, [], training_set, summarise(scores([0.8]), False), {}, teacher=0)
    assert "2 hand-labelled scans (in 1 of them only some voxels are labelled, and nothing was learned from" in text
    assert "Labels: 1 liver." in text and "only some voxels" not in student_card()


def test_scans_that_no_fold_learned_from_are_not_counted_among_those_it_learned_from():
    text = student_card(teacher=1, held_out=["a"])
    assert "1 hand-labelled scans (1 of them filled by round 1) and 1 labelled by round 1" in text
    assert "1 more with hand labels were held out" in text


def test_what_a_models_folds_learned_from_is_that_of_their_splits(tmp_path):
    splits = [{"train": ["b", "u"], "val": ["a"]}, {"train": ["a", "u"], "val": ["b"]}, {"train": [], "val": []}]
    (tmp_path / "splits_final.json").write_text(json.dumps(splits))
    assert learned_from(tmp_path, [Path("model/fold_1/checkpoint_final.pth")]) == {"a", "u"}
    assert learned_from(tmp_path, [Path(f"model/fold_{fold}/checkpoint_final.pth") for fold in (0, 1)]) == {*"abu"}


def test_a_round_after_the_end_of_all_rounds_is_not_packed_as_if_it_had_been_trained():
    ended = {"labeller": 1, "stopped": "no gain"}
    with pytest.raises(InputError, match=r"ended with round 1 \(no gain\)[\s\S]*results/round_1 for results/round_2"):
        refuse_repetition("2", ended)
    refuse_repetition("deploy", ended)
    refuse_repetition("2", {"labeller": 1, "stopped": ""})
    refuse_repetition("0", {})


def test_post_processing_of_the_label_maps_that_were_scored_is_said_organ_by_organ():
    training_set = pd.DataFrame({"case": ["a"], "origin": ["labelled"], "masked": [""]})
    about = ("0", {"background": 0, "liver": 1, "spleen": 2}, {"epochs": 1}, [], training_set)
    text = model_card(*about, summarise(scores([0.8]), False), {}, steps=[[1, 2], [2]])
    assert "only the largest piece is kept: of all organs together, then of spleen.\n" in text
    assert "largest piece" not in model_card(*about, summarise(scores([0.8]), False), {})


def test_a_role_of_one_set_has_one_table_without_its_name():
    assert "2 test scans\n" in card(scores([0.8, 0.9]).assign(set="clinic"))


def test_organs_that_some_scans_do_not_have_labelled_stand_with_their_number_of_scans():
    table = scores([0.8, 0.9, 0.7])
    table.loc[(table.organ == "liver") & (table.case != "case_0"), ["DSC", "NSD"]] = None
    text = card(table)
    assert "3 test scans\n" in text and "| organ | scans | DSC | NSD |\n" in text
    assert "| liver | 1 | 0.800 | 0.800 |\n" in text and "| spleen | 3 | 0.800 | 0.800 |\n" in text
    assert "| organ | DSC | NSD |\n" in card(scores([0.8, 0.9]))


@pytest.mark.parametrize(("made_from", "start"), [(["checkpoint_final.pth without heads"], "teacher"), ([], "scratch")])
def test_weights_that_a_training_could_not_take_are_not_on_its_card(tmp_path, made_from, start):
    record = {"sha256": dict.fromkeys(["plans.json", *made_from], "a")}
    (tmp_path / "training.json").write_text(json.dumps(record))
    assert as_trained({"start": "teacher"}, tmp_path)["start"].startswith(start)
    assert as_trained({"start": "the weights of a"}, tmp_path)["start"] == "the weights of a"
