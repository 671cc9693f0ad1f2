import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisy_student.train.draws import chances

SETTINGS = {
    "epochs": 10, "fine_tuning": {"epochs": 2}, "labelled_fraction": None, "draw_by_confidence": False,
    "draw_rare_organs": False,
}  # fmt: skip
STUDENT = pd.DataFrame(
    {
        "origin": ["labelled", "pseudo", "labelled", "pseudo"],
        "confidence": [None, 0.6, None, 0.9],
        "found": ["left adrenal gland", "liver", None, "liver, left kidney"],
    }
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"labelled_fraction": 0.3}, [0.15, 0.35, 0.15, 0.35]),
        ({"draw_by_confidence": True}, [0.25, 0.2, 0.25, 0.3]),
        ({"labelled_fraction": 0.2, "draw_by_confidence": True}, [0.1, 0.32, 0.1, 0.48]),
        ({"draw_rare_organs": True}, [0.25, 0.2, 0.25, 0.3]),
        ({"draw_rare_organs": True, "draw_by_confidence": True}, [0.25, 0.5 * 4 / 13, 0.25, 0.5 * 9 / 13]),
    ],
)
def test_scans_are_drawn_as_often_as_configured(changes, expected):
    found = chances(STUDENT, SETTINGS | changes, epoch=7)
    assert found is None if expected is None else np.allclose(found, expected)


@pytest.mark.parametrize("changes", [{}, {"labelled_fraction": 0.2, "draw_by_confidence": True}])
def test_fine_tuning_draws_hand_labelled_scans_alone(changes):
    assert [chances(STUDENT, SETTINGS | changes, epoch).tolist() for epoch in (8, 9)] == [[0.5, 0, 0.5, 0]] * 2


def test_a_teacher_draws_all_its_scans_alike():
    changes = {"labelled_fraction": 0.3, "draw_by_confidence": True}
    teacher = STUDENT[STUDENT.origin == "labelled"]
    assert chances(teacher, SETTINGS | changes, epoch=0) is None and chances(teacher, SETTINGS, epoch=9) is None


ORGANS = st.sets(st.sampled_from(["liver", "spleen", "left kidney", "aorta"])).map(", ".join)


@given(st.lists(ORGANS, min_size=1, max_size=9), st.floats(0.05, 0.95), st.booleans())
def test_a_scan_with_an_organ_that_no_other_has_gains_and_hand_labelled_scans_neither_gain_nor_lose(
    found, fraction, by_confidence
):
    found = [*found, "duodenum", "liver", "liver"]
    rows = pd.DataFrame({"origin": "pseudo", "confidence": 0.5, "found": found})
    rows.loc[len(rows)] = ["labelled", None, "duodenum"]
    changes = {"labelled_fraction": fraction, "draw_by_confidence": by_confidence}
    alike, drawn = (chances(rows, SETTINGS | changes | {"draw_rare_organs": rare}, 0) for rare in (False, True))
    assert np.isclose(drawn.sum(), 1) and np.isclose(drawn[-1], fraction) and (drawn >= 0).all()
    assert drawn[-4] > alike[-4] and drawn[-4] >= drawn[:-1].max() - 1e-12


def test_where_no_scan_has_any_confidence_pseudo_labelled_scans_are_drawn_alike():
    found = chances(STUDENT.assign(confidence=[None, 0.0, None, 0.0]), SETTINGS | {"draw_by_confidence": True}, 0)
    assert found.tolist() == [0.25] * 4


@pytest.mark.parametrize("undefined", [0.0, None])
def test_a_scan_in_which_nothing_was_found_is_drawn_as_the_mean_of_the_others(undefined):
    empty = pd.DataFrame({"origin": ["pseudo"], "confidence": [undefined], "found": [None]})
    table = pd.concat([STUDENT, empty], ignore_index=True)
    found = chances(table, SETTINGS | {"labelled_fraction": 0.5, "draw_by_confidence": True}, 0)
    assert np.allclose(found, [0.25, 0.4 / 3, 0.25, 0.2, 0.5 / 3])
    by_both = SETTINGS | {"draw_by_confidence": True, "draw_rare_organs": True}
    assert chances(table, by_both, 0)[4] > 0


def test_where_a_teacher_found_nothing_its_scans_are_drawn_alike():
    nothing = STUDENT.assign(found=None)
    assert np.allclose(chances(nothing, SETTINGS | {"draw_rare_organs": True}, 0), 0.25)


PARTLY = pd.concat([STUDENT, pd.DataFrame({"origin": ["filled"], "found": "liver"})], ignore_index=True).set_axis(
    ["a", "b", "c", "d", "a+filled"]
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [0, 0.25, 0.25, 0.25, 0.25]),
        ({"labelled_fraction": 0.3}, [0, 0.35, 0.15, 0.35, 0.15]),
        ({"draw_by_confidence": True}, [0, 0.2, 0.25, 0.3, 0.25]),
        ({"draw_rare_organs": True}, [0, 0.2, 0.25, 0.3, 0.25]),
    ],
)
def test_a_filled_scan_is_drawn_as_hand_labelled_in_place_of_itself_until_the_last_epochs(changes, expected):
    assert np.allclose(chances(PARTLY, SETTINGS | changes, epoch=7), expected)
    assert chances(PARTLY, SETTINGS | changes, epoch=8).tolist() == [0.5, 0, 0.5, 0, 0]


def test_where_no_pseudo_label_was_kept_filled_and_hand_labelled_scans_are_drawn_alike():
    changes = {"labelled_fraction": 0.3, "draw_rare_organs": True}
    without = PARTLY[PARTLY.origin != "pseudo"]
    assert chances(without, SETTINGS | changes, epoch=0).tolist() == [0, 0.5, 0.5]


def test_corrected_scans_are_drawn_as_hand_labelled_ones():
    corrected = STUDENT.assign(origin=["labelled", "pseudo", "corrected", "pseudo"])
    for changes in ({}, {"labelled_fraction": 0.3}, {"draw_by_confidence": True}):
        for epoch in (7, 9):
            found, expected = (chances(table, SETTINGS | changes, epoch) for table in (corrected, STUDENT))
            assert found is None if expected is None else np.array_equal(found, expected)
