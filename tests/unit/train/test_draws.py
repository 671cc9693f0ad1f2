import numpy as np
import pandas as pd
import pytest

from noisy_student.train.draws import chances

SETTINGS = {"epochs": 10, "fine_tuning": {"epochs": 2}, "labelled_fraction": None, "draw_by_confidence": False}
STUDENT = pd.DataFrame({"origin": ["labelled", "pseudo", "labelled", "pseudo"], "confidence": [None, 0.6, None, 0.9]})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"labelled_fraction": 0.3}, [0.15, 0.35, 0.15, 0.35]),
        ({"draw_by_confidence": True}, [0.25, 0.2, 0.25, 0.3]),
        ({"labelled_fraction": 0.2, "draw_by_confidence": True}, [0.1, 0.32, 0.1, 0.48]),
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
