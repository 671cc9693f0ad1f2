import pandas as pd

from noisy_student.evaluate.aggregate import summarise
from noisy_student.export.model_card import model_card
from score_tables import in_sets, scores


def card(table, pool_sets=False):
    training_set = pd.DataFrame({"origin": ["hand"], "masked": [""]})
    return model_card("0", {"liver": 1}, {"epochs": 1}, [], training_set, summarise(table, pool_sets), {})


def test_scores_of_sets_stand_in_tables_of_their_own():
    table = in_sets(internal=[0.8, 0.9], external=[0.5])
    text = card(table)
    assert "2 “internal” test scans\n" in text and "1 “external” test scans\n" in text
    assert text.count("| mean |") == 2
    assert "3 pooled test scans of 2 sets\n" in card(table, pool_sets=True)


def test_filled_scans_are_counted_once():
    training_set = pd.DataFrame({"origin": ["labelled", "labelled", "filled", "pseudo"], "masked": ""})
    text = model_card("1", {"liver": 1}, {"epochs": 1}, [], training_set, summarise(scores([0.8]), False), {})
    assert "2 hand-labelled scans (1 of them filled by the round before) and 1 labelled by the round before" in text


def test_a_role_of_one_set_has_one_table_without_its_name():
    assert "2 test scans\n" in card(scores([0.8, 0.9]).assign(set="clinic"))
