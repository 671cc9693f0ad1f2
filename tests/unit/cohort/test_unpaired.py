"""Scans and label maps that do not find each other, and the remedies followed."""

import re

import pytest
import yaml

from noisy_student.cohort.scans import find_scans, search
from noisy_student.cohort.unpaired import missing_label_maps, strays
from noisy_student.configuration.experiment import Folders, LabelledFolder, ScanFolder, ScanTable


def labelled(folder):
    return Folders(labelled=[LabelledFolder(images=folder / "images", label_maps=folder / "labels")])


PAIRS = [
    ("img0001", "label0001"), ("liver_2", "liver_2_seg"), ("volume-3", "segmentation-3"), ("case_4_0000", "case_4"),
]  # fmt: skip


@pytest.fixture
def challenge(lay):
    return lay(*(f"images/{one}.nii.gz" for one, _ in PAIRS), *(f"labels/{other}.nii.gz" for _, other in PAIRS))


def test_a_missing_label_map_is_an_error_that_names_the_likely_one(challenge):
    errors = missing_label_maps(find_scans(labelled(challenge)))
    assert [(error.case, error.severity, error.found) for error in errors] == [
        (case, "error", "no such file") for case in ("img0001", "liver_2", "volume-3")
    ]
    for error, label_map in zip(errors, ("label0001", "liver_2_seg", "segmentation-3"), strict=True):
        assert f"{label_map}.nii.gz seems to be it" in error.remedy


def test_the_lines_of_the_errors_are_a_table_that_pairs(challenge):
    errors = missing_label_maps(find_scans(labelled(challenge)))
    head, *_ = errors[0].remedy.splitlines()[1:]
    lines = [error.remedy.splitlines()[-1] for error in errors]
    (challenge / "scans.tsv").write_text("\n".join([head, *lines]) + "\n")
    scans = find_scans(Folders(labelled=[ScanTable(table=challenge / "scans.tsv")]))
    assert {scan.image.name: scan.label_map.name for scan in scans} == {
        f"{one}.nii.gz": f"{other}.nii.gz" for one, other in PAIRS[:3]
    }
    assert missing_label_maps(scans) == []


@pytest.mark.parametrize(
    ("images", "labels", "scan", "label_maps"),
    [
        (["img0001", "img0010"], ["label0001", "label0010"], "img{case}", "label{case}"),
        (["volume-3"], ["segmentation-3"], "volume-{case}", "segmentation-{case}"),
        (["a_ct", "b_ct"], ["a_gt", "b_gt"], "{case}_ct", "{case}_gt"),
    ],
)
def test_where_names_have_one_form_the_entry_that_pairs_all_is_said(lay, images, labels, scan, label_maps):
    folder = lay(*(f"images/{one}.nii.gz" for one in images), *(f"labels/{one}.nii.gz" for one in labels))
    errors = missing_label_maps(find_scans(labelled(folder)))
    (entry,) = {re.search(r"\{cases.*\}(?= in place)", error.remedy)[0] for error in errors}
    assert yaml.safe_load(entry) == {
        "cases": str(folder), "scan": f"images/{scan}.nii.gz", "label_maps": f"labels/{label_maps}.nii.gz"
    }  # fmt: skip
    scans = find_scans(Folders.model_validate({"labelled": [yaml.safe_load(entry)]}))
    assert len(scans) == len(errors) == len(images) and missing_label_maps(scans) == []


def test_no_entry_is_said_that_would_leave_out_a_scan_that_is_paired(lay):
    folder = lay("images/img1.nii.gz", "labels/label1.nii.gz", "images/b.nii.gz", "labels/b.nii.gz")
    (error,) = missing_label_maps(find_scans(labelled(folder)))
    assert "{cases" not in error.remedy and error.remedy.splitlines()[1] == "case\timage\tlabel_map"


def test_following_the_other_remedy_pairs_too(challenge):
    for error in missing_label_maps(find_scans(labelled(challenge))):
        likely = challenge / "labels" / error.remedy.split(" ")[0]
        likely.rename(error.file)
    assert missing_label_maps(find_scans(labelled(challenge))) == []


def test_without_a_likely_one_what_lies_there_is_shown(lay):
    folder = lay("images/a.nii.gz", "labels/x.nii.gz", "labels/y.nii.gz", "labels/z.dcm")
    (error,) = missing_label_maps(find_scans(labelled(folder)))
    assert error.file == folder / "labels/a.nii.gz" and "x.nii.gz, y.nii.gz" in error.remedy
    for name in ("x", "y"):
        (folder / f"labels/{name}.nii.gz").unlink()
    (error,) = missing_label_maps(find_scans(labelled(folder)))
    assert "z.dcm" in error.remedy
    (folder / "labels/z.dcm").unlink()
    (folder / "labels").rmdir()
    (error,) = missing_label_maps(find_scans(labelled(folder)))
    assert "there is no folder" in error.remedy


def test_a_label_map_of_another_scan_is_no_likely_one(lay):
    folder = lay("images/a_1.nii.gz", "images/b_1.nii.gz", "labels/b_1.nii.gz")
    (error,) = missing_label_maps(find_scans(labelled(folder)))
    assert error.case == "a_1" and "there is nothing" not in error.remedy and "seems to be it" not in error.remedy


def test_label_maps_without_a_scan_are_noted_once_over_all_roles(lay):
    folder = lay("one/a.nii.gz", "two/b.nii.gz", "labels/a.nii.gz", "labels/b.nii.gz", "labels/c.mha", "labels/a.nrrd")
    folders = Folders(
        labelled=[LabelledFolder(images=folder / "one", label_maps=folder / "labels")],
        test=[LabelledFolder(images=folder / "two", label_maps=folder / "labels")],
    )
    warning, note = strays(search(folders))
    assert {(found.severity, found.file) for found in (warning, note)} == {
        ("warning", folder / "labels"), ("note", folder / "labels"),
    }  # fmt: skip
    assert note.found == "1 label map(s) belong to no scan: c.mha"
    assert warning.found == "1 label map(s) passed over beside another of the same name: a.nrrd (a.nii.gz is taken)"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a.nii.gz", "a.seg.nrrd"], "a.seg.nrrd (a.nii.gz is taken)"),
        (["a.nii.gz", "a_0000.nrrd"], "a_0000.nrrd (a.nii.gz is taken)"),
        (["a/segmentations/liver.nii.gz", "a.dcm"], "a (a.dcm is taken)"),
        (["a.nii.gz", "a.hdr", "a.img"], None),
        (["a.mhd", "a.raw"], None),
    ],
)
def test_a_label_map_beside_the_one_that_is_taken_is_a_warning_that_names_both(lay, names, said):
    folder = lay("images/a.nii.gz", *(f"labels/{name}" for name in names))
    found = [(finding.severity, finding.found.rpartition(": ")[2]) for finding in strays(search(labelled(folder)))]
    assert found == ([("warning", said)] if said else [])


def test_a_label_map_of_the_slices_as_they_were_taken_is_none_of_the_corrected_scan(lay):
    folder = lay("images/x_Eq_1.nii.gz", "labels/x_Eq_1.nii.gz", "labels/x.nii.gz")
    assert [finding.severity for finding in strays(search(labelled(folder)))] == ["note"]


def test_truths_under_other_names_are_noted_with_the_line_that_pairs_the_first(lay):
    folder = lay("images/img0001.nii.gz", "images/img0002.nii.gz", "truth/label0001.nii.gz", "truth/label0009.nii.gz")
    folders = Folders(
        labelled=[LabelledFolder(images=folder / "images", label_maps=folder / "images")],
        unlabelled=[ScanFolder(images=folder / "images", truth=folder / "truth")],
    )
    (note,) = strays(search(folders))
    assert note.found == "2 truth(s) belong to no scan: label0001.nii.gz, label0009.nii.gz"
    assert note.remedy.startswith("1 would pair in a table")
    (folder / "more.tsv").write_text("\n".join(note.remedy.splitlines()[1:]) + "\n")
    scans = find_scans(folders.model_copy(update={"unlabelled": [ScanTable(table=folder / "more.tsv")]}))
    assert [scan.truth.name for scan in scans if scan.truth] == ["label0001.nii.gz"]


def test_a_tidy_cohort_has_nothing_to_note(embedded):
    from noisy_student.cohort.folder_findings import folder_findings
    from noisy_student.cohort.scans import embedded_folders

    found = search(embedded_folders(embedded))
    assert folder_findings(found) == [] and missing_label_maps(found.scans) == []
