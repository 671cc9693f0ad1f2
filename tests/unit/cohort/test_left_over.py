"""Numbers that mean no organ: other ones than `labels` names, the table's where `organs` says others."""

import numpy as np
import pytest

from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import make_case_table
from noisy_student.cohort.scans import Scan
from noisy_student.organs import Organ

THREE = (Organ(1, "liver"), Organ(2, "spleen"), Organ(3, "left kidney"))
GEOMETRY = {"spacing": (20.0, 20.0, 50.0), "direction": (1, 0, 0, 0, 1, 0, 0, 0, 1)}


@pytest.fixture
def labelled(write_scan):
    """A scan whose label map has the given numbers, one in each column."""

    def make(case, numbers, **given):
        voxels = np.random.default_rng(len(case)).integers(-1000, 1000, (4, 8, 8)).astype(np.int16)
        columns = np.zeros(8, np.uint8)
        columns[: len(numbers)] = numbers
        image = write_scan(f"images/{case}.nii.gz", voxels, **GEOMETRY)
        label_map = write_scan(f"labelsTr/{case}.nii.gz", np.broadcast_to(columns, voxels.shape), **GEOMETRY)
        return Scan(case, "labelled", image, label_map, source="clinic", **given)

    return make


@pytest.fixture
def found(tmp_path):
    """The severity of what is found with a word in it, and the findings in words."""

    def check(word, *scans):
        _, findings = make_case_table(list(scans), Standard(THREE, tmp_path / "renumbered"), cores=1)
        said = findings[findings.found.str.contains(word, regex=False)]
        return said.severity.tolist(), " ".join(said.found + " " + said.remedy)

    return check


SPLEEN = {"organs": ("spleen",)}


def test_a_wrong_number_under_labels_is_an_error_once_no_organ_is_left(labelled, found):
    scans = [labelled(case, [1], labels={"spleen": 9}, **SPLEEN) for case in "ab"]
    severity, said = found("`labels` does not name", *scans)
    assert severity == ["error"] and "1 (in 2 of 2)" in said and "in none of its label maps: spleen" in said


def test_an_organ_that_is_nowhere_beside_a_number_left_over_is_a_warning(labelled, found):
    given = {"labels": {"liver": 1, "spleen": 9}, "organs": ("liver", "spleen")}
    severity, said = found("`labels` does not name", labelled("a", [1, 2], **given), labelled("b", [1], **given))
    assert severity == ["warning"] and "2 (in 1 of 2); in none of its label maps: spleen" in said


def test_a_number_left_over_that_fills_most_of_a_scan_may_be_what_nobody_labelled(labelled, found):
    given = {"labels": {"liver": 1}, "organs": ("liver",)}
    severity, said = found("fills more than half", labelled("a", [1, 0, 0, 9, 9, 9, 9, 9], **given))
    assert severity == ["warning"] and "ignore: 9 under `labels`" in said
    assert found("fills more than half", labelled("b", [1, 0, 0, 9, 9], **given))[0] == []


def test_a_number_left_over_beside_all_organs_is_a_note_that_says_how_to_join_it(labelled, found):
    given = {"labels": {"liver": 1}, "organs": ("liver",)}
    severity, said = found("`labels` does not name", labelled("a", [1, 2], **given))
    assert severity == ["note"] and "2 (in 1 of 1)" in said and "{organ: [1, 2]}" in said
    assert found("`labels` does not name", labelled("b", [1], **given))[0] == []


def test_a_number_of_both_kidneys_is_not_left_over(labelled, found):
    given = {"labels": {"liver": [1, 5], "spleen": 2, "left kidney": 7}}
    assert found("`labels` does not name", labelled("a", [1, 5, 2, 7], **given))[0] == []


def test_other_organs_by_the_tables_numbers_than_organs_says_are_an_error_once_a_source(labelled, found):
    severity, said = found("which `organs` does not name", *(labelled(case, [1], **SPLEEN) for case in "ab"))
    assert severity == ["error"] and "liver (1)" in said and "no spleen (2)" in said and "{spleen: 2}" in said
    assert "in 1 more of its source" in said


def test_organs_that_are_there_leave_others_out_with_a_warning(labelled, found):
    severity, said = found("though `organs` does not name them", labelled("a", [1, 2], **SPLEEN))
    assert severity == ["warning"] and "liver" in said
    assert found("which `organs` does not name", labelled("a", [1, 2], **SPLEEN))[0] == []
    assert found("`organs` does not name, and none has", labelled("a", [1, 2], **SPLEEN))[0] == []


def test_an_organ_that_no_label_map_has_beside_others_is_a_warning_of_its_source(labelled, found):
    """As of KiTS, whose kidneys are 1 and tumours 2, if its numbers are not given."""
    scans = [labelled(case, [1, 2], organs=("spleen", "left kidney")) for case in "ab"]
    severity, said = found("`organs` does not name, and none has", *scans)
    assert severity == ["warning"] and "liver (1)" in said and "left kidney (3)" in said and "under `labels`" in said


def test_an_organ_that_a_scan_lacks_is_no_error_where_nothing_else_is_drawn(labelled, found):
    assert found("which `organs` does not name", labelled("a", [], **SPLEEN), labelled("b", [2], **SPLEEN))[0] == []
