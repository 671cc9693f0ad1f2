import pytest

from noisy_student.organs import FLARE22, PALETTE, Organ, from_json, sided_pairs, table_errors, to_json


def test_flare22s_table_is_one():
    assert table_errors(FLARE22) == []
    assert [(right.name, left.name) for right, left in sided_pairs(FLARE22)] == [
        ("right kidney", "left kidney"),
        ("right adrenal gland", "left adrenal gland"),
    ]


def test_a_table_comes_back_with_the_columns_that_were_handed_over():
    names = from_json(to_json(FLARE22, "label", "name", "left_twin"))
    assert sided_pairs(names) and table_errors(names) == []
    assert [organ.name for organ in names] == [organ.name for organ in FLARE22]
    assert {organ.tolerance_mm for organ in names} == {Organ(1, "any").tolerance_mm}


def test_what_is_not_given_is_filled_in():
    assert Organ(1, "lung").short == "lung"
    assert Organ(1, "lung").colour == Organ(len(PALETTE) + 1, "heart").colour == PALETTE[0]


@pytest.mark.parametrize(
    ("organs", "said"),
    [
        ([Organ(1, "lung"), Organ(3, "heart")], "labels must be"),
        ([Organ(label, f"organ {label}") for label in range(1, 257)], "at most 255"),
        ([Organ(1, "background")], "label 0"),
        ([Organ(1, "right lung", left_twin="right lung")], "no other organ"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(organs, said):
    assert said in "; ".join(table_errors(organs))
