import numpy as np
import pandas as pd
import pytest

from noisy_student.train.collapse import gain, shortcomings

ORGANS = ("liver", "left kidney", "aorta")


def held_out(*cases):
    """A held-out table of cases with a DSC for each organ."""
    rows = [(f"case {n}", organ, dsc) for n, case in enumerate(cases) for organ, dsc in zip(ORGANS, case, strict=True)]
    return pd.DataFrame(rows, columns=["case", "organ", "DSC"])


TEACHER = held_out((0.9, 0.8, 0.7), (0.92, 0.6, 0.8), (0.88, 0.7, 0.6))


def shifted(by, **of_organ):
    table = TEACHER.assign(DSC=TEACHER.DSC + by)
    for organ, dsc in of_organ.items():
        table.loc[table.organ == organ.replace("_", " "), "DSC"] = dsc
    return table


def test_a_student_like_its_teacher_has_not_collapsed():
    assert shortcomings(TEACHER, TEACHER, 0.02) == []
    assert shortcomings(shifted(0.05), TEACHER, 0.02) == []


def test_a_lost_organ_is_named_though_the_others_gain():
    found = shortcomings(shifted(0.1, left_kidney=0.0), TEACHER, 0.5)
    assert found == ["left kidney: mean DSC 0.00, its teacher's 0.70"]


def test_an_organ_that_the_teacher_never_found_cannot_be_lost():
    teacher = shifted(0, left_kidney=0.15)
    assert shortcomings(shifted(0, left_kidney=0.0), teacher, 0.5) == []


def test_falling_behind_counts_beyond_the_noise_band_alone():
    assert shortcomings(shifted(-0.015), TEACHER, 0.02) == []
    [reason] = shortcomings(shifted(-0.03), TEACHER, 0.02)
    assert reason == "mean DSC 0.030 behind its teacher's, more than the noise of 0.02"


def test_one_bad_scan_among_better_ones_is_no_collapse():
    student = TEACHER.copy()
    student.loc[student.case == "case 0", "DSC"] -= 0.3
    student.loc[student.case != "case 0", "DSC"] += 0.05
    assert gain(student, TEACHER) < -0.02
    assert shortcomings(student, TEACHER, 0.02) == []


def test_a_single_held_out_scan_is_judged_by_its_mean():
    assert shortcomings(held_out((0.5, 0.5, 0.5)), held_out((0.7, 0.7, 0.7)), 0.02)


def test_an_organ_that_no_held_out_scan_shows_does_not_count():
    student, teacher = (held_out((0.9, np.nan, value), (0.9, np.nan, value)) for value in (0.8, 0.7))
    assert shortcomings(student, teacher, 0.02) == []
    assert gain(student, teacher) == pytest.approx(0.05)


def test_an_organ_is_judged_in_the_scans_that_have_it_and_a_scan_without_any_in_none():
    nothing = (np.nan,) * 3
    student = held_out((0.9, 0.8, np.nan), (0.9, np.nan, np.nan), nothing)
    teacher = held_out((0.8, 0.8, np.nan), (0.6, np.nan, np.nan), nothing)
    assert gain(student, teacher) == pytest.approx((0.05 + 0.3) / 2)
    assert shortcomings(student, teacher, 0.02) == []
    [reason] = shortcomings(teacher, student, 0.02)
    assert reason.startswith("mean DSC 0.175 behind its teacher's")
    steady = held_out((0.9, 0.8, np.nan), (0.5, np.nan, np.nan), nothing)
    assert shortcomings(steady, student, 0.02) == []
