import numpy as np
import pytest

from noisy_student.errors import InputError
from noisy_student.model.translation import translation
from noisy_student.organs import FLARE22, Organ

TABLE = (Organ(1, "liver"), Organ(2, "right kidney"), Organ(3, "left kidney"))


def test_labels_are_matched_by_name_whatever_their_numbers_and_spelling():
    found = translation({"spleen": 1, "kidney_left": 2, "Liver": 5, "RightKidney": 4, "tumour": 3}, TABLE, "x")
    assert found.numbers == {5: 1, 4: 2, 2: 3} and found.lacks == ()
    # The spleen is another organ, hence background; a tumour may be a part of one.
    assert found.unknown == {"tumour": 3}
    assert found.background_of(6) == [0, 1]
    assert found.of_each_label[np.arange(6)].tolist() == [0, 0, 3, 0, 2, 1]


def test_a_label_by_which_the_table_knows_an_organ_as_an_alias_is_that_organ():
    table = (Organ(1, "Leber", aliases=("liver",)), Organ(2, "Milz", aliases=("spleen", "lien")), Organ(3, "aorta"))
    found = translation({"liver": 1, "lien": 2, "aorta": 3}, table, "x")
    assert found.numbers == {1: 1, 2: 2, 3: 3} and not found.lacks and not found.unknown


def test_an_alias_beside_the_organ_itself_may_be_a_part_of_it():
    """By such an alias, masks of a cyst and of its kidney are read as one."""
    table = (*TABLE[:2], Organ(3, "left kidney", aliases=("kidney_cyst_left",)))
    found = translation({"liver": 1, "kidney_left": 2, "kidney_cyst_left": 3}, table, "x")
    assert found.numbers == {1: 1, 2: 3} and found.unknown == {"kidney_cyst_left": 3}


def test_organs_of_the_table_that_a_model_lacks_are_named_in_the_tables_order():
    found = translation({"liver": 1, "aorta": 2}, FLARE22, "x")
    assert found.lacks[:2] == ("right kidney", "spleen") and len(found.lacks) == 11


def test_both_kidneys_in_one_label_are_neither_of_them():
    found = translation({"kidney": 1, "liver": 2}, TABLE, "x")
    assert found.lacks == ("right kidney", "left kidney") and found.unknown == {"kidney": 1}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"liver": 1, "Liv": 2}, "liver, Liv, liver are one organ"),
        ({"heart": 1, "brain": 2}, "no organ in common. The model: heart, brain. The table: liver, right kidney"),
    ],
)
def test_ambiguous_names_and_none_in_common_are_errors_with_both_lists(labels, said):
    with pytest.raises(InputError, match=said) as error:
        translation(labels, TABLE, "/models/a")
    assert "labels of /models/a" in error.value.wanted and "The table: liver" in error.value.got
