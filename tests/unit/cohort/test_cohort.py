import pytest

from noisy_student.cohort.scans import embedded_folders, find_scans, scans_in
from noisy_student.configuration.experiment import Folders, LabelledFolder, ScanFolder
from noisy_student.errors import InputError


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


def labelled(folder):
    return find_scans(Folders(labelled=[LabelledFolder(images=folder / "images", label_maps=folder / "labels")]))


def test_extensions_may_be_written_in_any_case_and_formats_differ_between_scan_and_label_map(lay):
    folder = lay("images/a.NII.GZ", "images/b.mhd", "images/c.nhdr", "labels/a.nii.gz", "labels/b.Nrrd", "labels/c.MHA")
    assert [(scan.case, scan.label_map.name) for scan in labelled(folder)] == [
        ("a", "a.nii.gz"), ("b", "b.Nrrd"), ("c", "c.MHA"),
    ]  # fmt: skip


def test_hidden_files_are_neither_scans_nor_label_maps(lay):
    folder = lay("images/a.nii.gz", "images/._a.nii.gz", "labels/._a.nii.gz", "labels/.a.nii.gz")
    assert [(scan.case, scan.label_map.exists()) for scan in labelled(folder)] == [("a", False)]


def test_a_corrected_scan_has_its_own_name_and_the_label_map_of_either(lay):
    folder = lay("images/x.nii.gz", "images/x_Eq_1.nii.gz", "images/y.nii.gz", "images/y_Tilt_1.nii.gz")
    lay("labels/x.nii.gz", "labels/y.nii.gz", "labels/y_Tilt_1.nii.gz")
    assert [(scan.case, scan.image.name, scan.label_map.name) for scan in labelled(folder)] == [
        ("x_Eq_1", "x_Eq_1.nii.gz", "x.nii.gz"), ("y_Tilt_1", "y_Tilt_1.nii.gz", "y_Tilt_1.nii.gz"),
    ]  # fmt: skip


def test_scans_and_label_maps_in_one_folder_are_told_apart(lay):
    folder = lay("volume-3.nii", "segmentation-3.nii", "case.nrrd", "case.seg.nrrd")
    scans = find_scans(Folders(labelled=[LabelledFolder(images=folder, label_maps=folder)]))
    assert [scan.image.name for scan in scans] == ["case.nrrd", "volume-3.nii"]
    label_maps = [scan.label_map.name for scan in scans if scan.label_map.exists()]
    assert label_maps == ["case.seg.nrrd", "segmentation-3.nii"], "a scan is not its own label map"


def test_a_folder_without_scans_says_what_lies_in_it(lay):
    folder = lay("s1/ct.nii.gz", "s2/ct.nii.gz", "all.zip")
    with pytest.raises(InputError, match=r"(?s)3 passed over: all\.zip .*such as ct\.nii\.gz\).*list them in a table"):
        scans_in(folder)


def test_folders_that_are_named_elsewhere_are_no_entries(lay):
    folder = lay("a.nii.gz", "labels/a.nii.gz", "more/images/IM1", "more/images/IM2")
    folders = Folders(
        labelled=[LabelledFolder(images=folder, label_maps=folder / "labels")],
        unlabelled=[ScanFolder(images=folder / "more")],
    )
    assert [scan.case for scan in find_scans(folders)] == ["a", "images"]
