from pathlib import Path

import pytest

from noisy_student.cohort.scans import case_name, embedded_folders, find_scans, is_plain_name
from noisy_student.configuration import Folders, LabelledFolder, ScanFolder
from noisy_student.errors import InputError


@pytest.mark.parametrize(
    ("file", "case"),
    [
        ("FLARE22_Tr_0001_0000.nii.gz", "FLARE22_Tr_0001"),
        ("Case_00001_0000.nii.gz", "Case_00001"),
        ("amos.12.nrrd", "amos.12"),
        ("a_0001.nii", "a_0001"),
    ],
)
def test_case_names(file, case):
    assert case_name(Path(file)) == case
    assert is_plain_name(case)


@pytest.mark.parametrize("file", ["a b.nii.gz", "..nii.gz", "-x.nii.gz", ".hidden.nii.gz", "ü.nii.gz", "_0000.nii.gz"])
def test_names_that_make_no_case_are_recognised(file):
    assert not is_plain_name(case_name(Path(file)))


def test_the_embedded_cohort_is_found_with_roles_and_truths(embedded):
    scans = find_scans(embedded_folders(embedded))
    assert [scan.role for scan in scans] == ["labelled"] * 3 + ["unlabelled"] * 2 + ["validation", "test"]
    for scan in scans:
        assert scan.image.exists()
        assert (scan.label_map is None) == (scan.role == "unlabelled")
        assert (scan.truth is not None) == (scan.role == "unlabelled")
        assert (scan.label_map or scan.truth).name == f"{scan.case}.nii.gz"


def test_a_role_may_be_spread_over_folders_and_labels_named_as_images(tmp_path):
    for name in ("a/one_0000.nii.gz", "b/two.nrrd", "labels/one.nii.gz", "labels/two.nrrd"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    labels = tmp_path / "labels"
    scans = find_scans(
        Folders(labelled=[LabelledFolder(images=tmp_path / name, label_maps=labels) for name in ("a", "b")])
    )
    assert [(scan.case, scan.label_map.name) for scan in scans] == [("one", "one.nii.gz"), ("two", "two.nrrd")]


def test_a_missing_or_empty_folder_is_named(tmp_path):
    folders = Folders(
        labelled=[LabelledFolder(images=tmp_path, label_maps=tmp_path)], unlabelled=[ScanFolder(images=tmp_path / "no")]
    )
    with pytest.raises(InputError, match=str(tmp_path)):
        find_scans(folders)
    (tmp_path / "a.nii.gz").touch()
    with pytest.raises(InputError, match="no folder"):
        find_scans(folders)
