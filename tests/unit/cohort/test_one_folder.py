"""Scans and label maps in one folder, told apart and paired by their names: LiTS, CT-ORG."""

import pytest

from noisy_student.cohort.folder_findings import folder_findings
from noisy_student.cohort.scans import search
from noisy_student.cohort.unpaired import missing_label_maps
from noisy_student.configuration.experiment import Folders
from noisy_student.errors import InputError


def searched(folder):
    return search(Folders.model_validate({"labelled": [{"images": folder, "label_maps": folder}]}))


@pytest.mark.parametrize(
    ("scans", "label_maps"),
    [
        (["volume-0.nii", "volume-10.nii"], ["segmentation-0.nii", "segmentation-10.nii"]),
        (["volume-0.nii.gz", "volume-1.nii.gz"], ["labels-0.nii.gz", "labels-1.nii.gz"]),
        (
            ["case_00000_image.nii.gz", "case_00001_image.nii.gz"],
            ["case_00000_label.nii.gz", "case_00001_label.nii.gz"],
        ),
        (["a.nrrd", "b_0000.nrrd"], ["a.seg.nrrd", "b_seg.nii.gz"]),
        (["a.nii.gz", "b.nii.gz"], ["a.dcm", "b/liver.nii.gz"]),
    ],
)
def test_names_that_differ_in_words_for_images_and_label_maps_alone_are_a_pair_and_this_is_said(lay, scans, label_maps):
    folder = lay(*(f"d/{name}" for name in (*scans, *label_maps))) / "d"
    found = searched(folder)
    assert [(scan.image.name, scan.label_map.relative_to(folder).parts[0]) for scan in found.scans] == [
        (scan, label_map.split("/")[0]) for scan, label_map in zip(scans, label_maps, strict=True)
    ]
    assert missing_label_maps(found.scans) == []
    (note,) = folder_findings(found)
    pairs = ", ".join(f"{other.split('/')[0]} of {one}" for one, other in zip(scans, label_maps, strict=True))
    assert (
        note.severity == "note"
        and note.found == f"scans and label maps in one folder, 2 paired by their names: {pairs}"
    )


def test_what_has_no_partner_or_two_is_said(lay):
    folder = (
        lay(
            *("d/volume-0.nii", "d/labels-0.nii", "d/labels-7.nii", "d/readme.txt"),
            *("d/volume-1.nii", "d/labels-1.nii", "d/segmentation-1.nii", "d/volume-2.nii"),
        )
        / "d"
    )
    found = searched(folder)
    assert [scan.case for scan in found.scans] == ["volume-0", "volume-1", "volume-2"]
    two, none = missing_label_maps(found.scans)
    assert (two.case, two.file) == ("volume-1", folder / "volume-1_label.nii.gz")
    assert "in a table" in two.remedy and "labels-1.nii, segmentation-1.nii" in two.remedy and none.case == "volume-2"
    note = next(note for note in folder_findings(found) if "no scans" in note.found)
    assert note.found.startswith("4 entries are no scans: ")
    for said in (
        "labels-7.nii (named as a label map, of no scan)",
        "the label map of volume-1.nii, by its name",
        "readme",
    ):
        assert said in note.found


def test_names_that_tell_no_scan_are_an_error_that_says_how_to_name_both(lay):
    folder = lay("d/seg_a.nii.gz", "d/seg_a_label.nii.gz") / "d"
    with pytest.raises(InputError, match=r"seg_a\.nii\.gz, seg_a_label\.nii\.gz\nremedy: [^`]*\{cases: .*\{case\}"):
        searched(folder)


def test_an_entry_whose_folders_are_two_does_not_pair_other_names(lay):
    folder = lay("images/volume-0.nii", "labels/segmentation-0.nii")
    entry = {"images": folder / "images", "label_maps": folder / "labels"}
    assert len(missing_label_maps(search(Folders.model_validate({"labelled": [entry]})).scans)) == 1
