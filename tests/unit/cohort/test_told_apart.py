"""Kidneys under one number: told apart by their side, or left alone."""

import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import make_case_table
from noisy_student.cohort.scans import Scan
from noisy_student.cohort.told_apart import told_apart
from noisy_student.configuration.numbering import numbering_errors
from noisy_student.organs import Organ

# The right kidney behind the left one too: its label must not depend on the order.
ORGANS = (
    Organ(1, "liver"), Organ(2, "left kidney"), Organ(3, "right kidney", left_twin="left kidney"),
)  # fmt: skip
BOTH = {"right kidney": [1, 2], "left kidney": [2, 1]}
SHAPE = (6, 12, 40)


def scan(middle=20, half=14):
    """A body in air, `half` to each side of its middle."""
    voxels = np.full(SHAPE, -1000, np.int16)
    voxels[:, 2:10, middle - half : middle + half + 1] = 40
    return sitk.GetImageFromArray(voxels)


def pieces(*ranges):
    """Pieces between these columns; the first end is the patient's right."""
    array = np.zeros(SHAPE, np.uint8)
    for first, last, *rest in ranges:
        depth = rest[0] if rest else 4
        array[1 : 1 + depth, 5:7, first:last] = 1
    return array


def stray_voxels(*columns):
    """Of a row."""
    array = np.zeros(SHAPE, np.uint8)
    array[1, 5, list(columns)] = 1
    return array


def labels_of(array, **body):
    label_map, unclear, remarks = told_apart(sitk.GetImageFromArray(array * 3), scan(**body), BOTH, ORGANS)
    return sitk.GetArrayFromImage(label_map).max(axis=(0, 1)), unclear, remarks


@pytest.mark.parametrize(
    ("array", "right", "left"),
    [
        (pieces((10, 15), (26, 31)), range(10, 15), range(26, 31)),
        (pieces((26, 31)), (), range(26, 31)),
        (pieces((10, 15)), range(10, 15), ()),
        (pieces((10, 15), (26, 31), (21, 22, 1)), range(10, 15), [21, *range(26, 31)]),
        (pieces((10, 13), (14, 16), (26, 31)), [10, 11, 12, 14, 15], range(26, 31)),
        (stray_voxels(18, 20, 22), (18, 20), (22,)),
        (pieces(), (), ()),
    ],
)
def test_each_piece_is_the_organ_of_its_side(array, right, left):
    columns, unclear, remarks = labels_of(array)
    assert np.flatnonzero(columns == 3).tolist() == list(right)
    assert np.flatnonzero(columns == 2).tolist() == list(left)
    assert not unclear and not remarks


def test_the_middle_is_the_bodys_and_not_the_pictures():
    columns, unclear, _ = labels_of(pieces((3, 7), (13, 18)), middle=10, half=9)
    assert columns[5] == 3 and columns[15] == 2 and not unclear


@pytest.mark.parametrize("array", [pieces((15, 27)), pieces((26, 29), (30, 33)), pieces((10, 15), (18, 24))])
def test_a_horseshoe_and_two_on_one_side_are_not_guessed(array):
    columns, unclear, (remark,) = labels_of(array)
    assert not columns.any() and sorted(unclear) == [2, 3]
    assert remark.severity == "warning" and "cannot be told apart" in remark.found


def test_the_organs_of_a_pair_alone_may_have_the_same_numbers():
    assert numbering_errors(BOTH, ORGANS, BOTH) == []
    for numbers in ({"liver": 1, "left kidney": 1}, {"right kidney": [1, 2], "left kidney": 1}):
        assert "each number names one organ" in numbering_errors(numbers, ORGANS, numbers)[0]


def scans_of(tmp_path, role="labelled", **entry):
    """Two scans, and what is found of them: in one the kidneys can be told apart."""
    scans = []
    for case, array in (("two", pieces((10, 15), (26, 31))), ("horseshoe", pieces((15, 27)))):
        image = scan()
        for name, one in (("images", sitk.Add(image, len(scans))), ("labels", sitk.GetImageFromArray(array))):
            one.SetSpacing((10, 20, 40))
            (tmp_path / name).mkdir(exist_ok=True)
            sitk.WriteImage(one, str(tmp_path / name / f"{case}.nii.gz"))
        paths = [tmp_path / name / f"{case}.nii.gz" for name in ("images", "labels")]
        image, label_map = paths
        files = {"truth": label_map} if role == "unlabelled" else {"label_map": label_map}
        scans.append(Scan(case, role, image, **files, **entry))
    table, findings = make_case_table(scans, Standard(ORGANS, tmp_path / "renumbered"), cores=1)
    assert not (findings.severity == "error").any()
    return table, findings[findings.severity == "warning"]


def test_a_case_in_which_they_cannot_be_told_apart_has_them_not_labelled(tmp_path):
    table, _ = scans_of(tmp_path, labels={"liver": 5} | BOTH)
    assert table.organs.tolist() == ["1 2 3", "1"] and table["labels"].tolist() == ["2 3", ""]


@pytest.mark.parametrize("role", ["labelled", "test"])
def test_where_they_alone_are_labelled_that_case_is_left_out_and_not_taken_for_one_with_all_organs(tmp_path, role):
    table, warnings = scans_of(tmp_path, role, labels=BOTH, organs=("right kidney", "left kidney"))
    assert table.case.tolist() == ["two"] and table.organs.tolist() == ["2 3"]
    assert "the scan is left out" in " ".join(warnings.remedy[warnings.case == "horseshoe"])


def test_an_unlabelled_scan_stays_without_such_a_truth(tmp_path):
    table, warnings = scans_of(tmp_path, "unlabelled", labels=BOTH, organs=("right kidney", "left kidney"))
    for column in ("truth", "labels_sha256"):
        assert table[column].astype(bool).tolist() == [True, False]
    assert "without a truth" in " ".join(warnings.remedy[warnings.case == "horseshoe"])
