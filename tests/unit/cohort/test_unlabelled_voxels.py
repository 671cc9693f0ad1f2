"""Voxels that nobody labelled, nnU-Net's `ignore`: in which label maps they may be, and what is known of the others."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import make_case_table
from noisy_student.cohort.conversion import convert_label_map
from noisy_student.cohort.labelled_organs import in_words
from noisy_student.cohort.scans import Scan
from noisy_student.configuration.numbering import numbering_errors
from noisy_student.images import read_image
from noisy_student.organs import Organ, table_errors

THREE = (
    Organ(1, "liver", volume_ml=(90, 200)),
    Organ(2, "right kidney", left_twin="left kidney"),
    Organ(3, "left kidney"),
)
NAMES = {"background": 0, "liver": 1, "right kidney": 2, "left kidney": 3, "ignore": 4}
LABELS = {"liver": 7, "right kidney": 2, "left kidney": 3, "ignore": 9}
GEOMETRY = {"spacing": (10.0, 10.0, 10.0), "direction": (1, 0, 0, 0, 1, 0, 0, 0, 1)}
SHAPE = (6, 10, 10)


@pytest.fixture
def labelled(write_scan):
    """A scan whose label map has the given numbers, one in each column of 32 ml, and `around` elsewhere."""

    def make(case, numbers, role="labelled", around=0, **given):
        voxels = np.random.default_rng(ord(case)).integers(-1000, 1000, SHAPE).astype(np.int16)
        labels = np.full(SHAPE, around, np.uint8)
        labels[1:-1, 1:-1, 1:-1] = [*numbers, *[around] * (8 - len(numbers))]
        image = write_scan(f"images/{case}.nii.gz", voxels, **GEOMETRY)
        label_map = write_scan(f"labelsTr/{case}.nii.gz", labels, **GEOMETRY)
        return Scan(case, role, image, label_map, source="clinic", **given)

    return make


@pytest.fixture
def named(tmp_path):
    """Names beside the label maps, as nnU-Net has them."""
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": NAMES}))


@pytest.fixture
def check(tmp_path):
    """The case table and the findings of scans."""

    def make(*scans, organs=THREE):
        return make_case_table(list(scans), Standard(organs, tmp_path / "renumbered"), cores=1)

    return make


def columns_of(path):
    return sitk.GetArrayFromImage(read_image(path))[1, 1, 1:-1].tolist()


def test_labels_names_them_beside_the_organs():
    assert numbering_errors(LABELS, THREE) == []
    assert "each number names one" in numbering_errors(LABELS | {"ignore": 7}, THREE)[0]
    assert "no such organ" in numbering_errors(LABELS | {"Ignore": 7}, THREE)[0]


def test_no_organ_may_be_called_so():
    assert "`ignore`" in table_errors([Organ(1, "liver"), Organ(2, "ignore")])[0]


def test_by_labels_they_get_the_number_after_the_organs(labelled, check):
    table, findings = check(labelled("a", [7, 2, 3, 9, 9, 9], labels=LABELS))
    assert findings.empty, findings.to_string()
    assert columns_of(table.label_map[0]) == [1, 2, 3, 4, 4, 4, 0, 0]
    assert table.labels[0] == "1 2 3" == table.organs[0] and table.labelled_share[0] == 1 - 3 * 32 / 600


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("given", [{}, {"labels": {"liver": 1, "right kidney": 2, "left kidney": 3}}])
def test_by_the_names_beside_a_label_map_too(labelled, check, given):
    table, findings = check(labelled("a", [1, 2, 3, 4, 4], **given), labelled("b", [*[1] * 4, 2, 3], **given))
    assert findings.empty, findings.to_string()
    assert columns_of(table.label_map[0]) == [1, 2, 3, 4, 4, 0, 0, 0]
    assert table.labelled_share[0] == 1 - 2 * 32 / 600 and pd.isna(table.labelled_share[1])
    assert in_words(table, THREE)[-1] == "voxels: labelled in part in 1 of 2 scans, 89.3% of them"


def test_without_such_voxels_the_case_table_has_no_such_column(labelled, check):
    table, _ = check(labelled("a", [7, 2, 3], labels=LABELS))
    assert "labelled_share" not in table and not any("in part" in line for line in in_words(table, THREE))


def test_neither_volumes_nor_absent_organs_are_held_against_such_a_scan(labelled, check):
    whole = labelled("a", [7] * 4 + [2, 3], labels=LABELS)
    findings = check(whole, labelled("b", [7, 9, 9, 9, 9, 9], labels=LABELS))[1]
    assert findings.empty, findings.to_string()
    findings = check(whole, labelled("b", [7], labels=LABELS))[1]
    assert findings.found.str.contains("less than half").any() and findings.found.str.contains("liver of").any()


def test_they_stay_where_only_some_organs_are_labelled(labelled, check):
    given = {"labels": {"liver": 7, "ignore": 9}, "organs": ("liver",)}
    table, findings = check(labelled("a", [7, 9, 9], **given), labelled("b", [7, 7, 7, 7, 2, 3], labels=LABELS))
    assert findings.empty, findings.to_string()
    assert columns_of(table.label_map[0])[:4] == [1, 4, 4, 0] and table.organs[0] == "1"


def test_they_stay_where_kidneys_are_told_apart(labelled, check):
    one_number = LABELS | {"left kidney": 2}
    table, findings = check(labelled("a", [2, 7, 9, 9, 9, 9, 0, 2], labels=one_number))
    assert findings.empty, findings.to_string()
    assert columns_of(table.label_map[0]) == [2, 1, 4, 4, 4, 4, 0, 3]


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("role", ["validation", "test", "unlabelled"])
def test_a_label_map_that_judges_may_not_have_them(labelled, check, role):
    scan = labelled("a", [1, 2, 3, 4], role)
    scan = replace(scan, label_map=None, truth=scan.label_map) if role == "unlabelled" else scan
    error = check(scan)[1].set_index("severity").loc["error"]
    assert "5.3% of its voxels are 4, 'ignore'" in error.found and "only labelled scans" in error.remedy
    whole = labelled("b", [1, 2, 3], role)
    whole = replace(whole, label_map=None, truth=whole.label_map) if role == "unlabelled" else whole
    assert not check(whole)[1].severity.eq("error").any()


@pytest.mark.parametrize(
    ("numbers", "around", "severity", "said"),
    [
        pytest.param([], 9, "error", "some voxels labelled", id="nothing labelled"),
        pytest.param([9], 0, "warning", "an organ among", id="no organ"),
        pytest.param([7], 9, "warning", "background among", id="no background"),
    ],
)
def test_what_such_a_scan_would_not_teach_is_said(labelled, check, numbers, around, severity, said):
    findings = check(labelled("a", numbers, around=around, labels=LABELS))[1]
    found = findings[findings.found.str.contains("'ignore'")]
    assert found.severity.tolist() == [severity] and said in found.wanted.item()


@pytest.mark.usefixtures("named")
def test_a_number_that_is_an_organs_too_is_an_error(labelled, check):
    labels = {"liver": 4, "right kidney": 2, "left kidney": 3}
    findings = check(labelled("a", [4, 2, 3], labels=labels))[1]
    assert findings.found.str.contains("4 is liver and ignore by `labels` and").any()


def test_a_mask_of_them_is_refused_and_not_left_over_as_background(write_scan, check):
    voxels = np.random.default_rng(1).integers(-1000, 1000, SHAPE).astype(np.int16)
    image = write_scan("images/a.nii.gz", voxels, **GEOMETRY)
    for place, name in enumerate(("liver", "right_kidney", "left_kidney", "ignore")):
        mask = write_scan(f"masks/a/{name}.nii.gz", np.broadcast_to(np.arange(10) == place, SHAPE) * 1, **GEOMETRY)
    findings = check(Scan("a", "labelled", image, mask.parent, source="clinic"))[1]
    assert "masks and segments" in findings[findings.severity == "error"].found.item()


def test_conversion_leaves_them_as_they_are(labelled, tmp_path):
    scan = labelled("a", [1, 4, 4])
    convert_label_map(scan.label_map, tmp_path / "a.nii.gz", scan.image)
    assert columns_of(tmp_path / "a.nii.gz") == [1, 4, 4, 0, 0, 0, 0, 0]
