"""Masks of several cases in one folder: whose is which, and what nobody can tell."""

from pathlib import Path

import pytest

from noisy_student.cohort.flat_masks import masks_by_case
from noisy_student.cohort.organ_names import is_known
from noisy_student.cohort.scans import find_scans, search
from noisy_student.cohort.unpaired import missing_label_maps, strays
from noisy_student.configuration.experiment import Folders
from noisy_student.errors import InputError
from noisy_student.organs import Organ


def grouped(names, cases, is_organ=is_known):
    found = masks_by_case([Path(f"{name}.nii.gz") for name in names.split()], set(cases.split()), is_organ)
    return {case: list(masks.values()) for case, masks in found.items()}


@pytest.mark.parametrize(
    ("names", "cases", "wanted"),
    [
        ("p0_liver p0_kidney_left p1_liver", "p0 p1", {"p0": ["liver", "kidney_left"], "p1": ["liver"]}),
        ("patient001_LIVER patient001_GTV", "patient001", {"patient001": ["LIVER", "GTV"]}),
        ("liver_p0 lung_vessels_p0", "p0 p1", {"p0": ["liver", "lung_vessels"]}),
        ("case-1.liver case-10.liver", "case-1 case-10", {"case-1": ["liver"], "case-10": ["liver"]}),
        ("p0_mask_3-Liver p0_mask_7-BODY", "p0", {"p0": ["mask_3-Liver", "mask_7-BODY"]}),
        ("p1_l_kidney p1_spleen", "p1 p1_l", {"p1": ["l_kidney", "spleen"]}),
        ("p1_l_liver p1_l_kidney_r", "p1 p1_l", {"p1_l": ["liver", "kidney_r"]}),
        ("1_liver 1_liver_2 2_spleen", "1", {"1": ["liver", "liver_2"]}),
        # No mask of an organ: other label maps, under other names.
        ("liver_2_seg liver_3_seg", "liver_2 liver_3", {}),
        ("p0 p0_ p00_liver xp0_liver p0liver", "p0", {}),
        ("p0_kidney p1_l_kidneys", "p0 p1 p1_l", {}),
    ],
)
def test_a_mask_is_of_the_case_that_its_name_begins_or_ends_with(names, cases, wanted):
    assert grouped(names, cases) == wanted


@pytest.mark.parametrize(
    ("names", "cases", "said"),
    [
        (
            "p1_liver p1_l_GTV p1_l_x",
            "p1 p1_l",
            r"2 that .* p1_l_GTV.nii.gz \(p1 or p1_l\), p1_l_x.nii.gz \(p1 or p1_l",
        ),
        ("1_liver_2 1_spleen", "1 2", r"1_liver_2.nii.gz \(1 or 2\)"),
        ("a_liver a_kidney_l", "a a_kidney l", r"a_kidney_l.nii.gz \(a or a_kidney or l\)"),
    ],
)
def test_what_may_be_of_several_cases_is_refused_by_name_with_the_folder_that_tells_them(names, cases, said):
    with pytest.raises(InputError, match=said) as error:
        grouped(names, cases, is_organ=lambda name: name in ("liver", "spleen"))
    assert "into a folder named after it" in error.value.remedy


def test_masks_of_another_entrys_scan_and_of_none_are_not_taken_for_the_one_whose_name_theirs_begins_with():
    """`p1_2` is a test scan, or nowhere; `3-Liver` and `7-BODY` are numbers of regions."""
    files = [Path(f"{name}.nii.gz") for name in ("p1_2_liver", "p1_2_spleen")]
    assert masks_by_case(files, {"p1"}, is_known, {"p1", "p1_2"}) == {}
    for names in ("p1_2_liver p1_2_spleen", "p1_2_liver", "p1_pv_liver p1_pv_spleen", "liver_pv_p1 spleen_pv_p1"):
        with pytest.raises(InputError, match=r"p1 or one with “(2|pv)” in its name"):
            grouped(names, "p1")
    assert (
        list(grouped("p1_mask_3-Liver p1_mask_7-BODY", "p1")) == list(grouped("p1_ct_liver p1_ct_body", "p1")) == ["p1"]
    )


@pytest.fixture
def flat(lay):
    return lay(
        *("images/p0_0000.nii.gz", "images/p1.nii.gz", "images/p2.nii.gz", "images/p3.nii.gz"),
        *("labels/p0_liver.nii.gz", "labels/p0_Niere.nii.gz", "labels/p1_Niere.nii.gz", "labels/p1_Niere.mha"),
        *("labels/p2.nii.gz", "labels/p2_liver.nii.gz", "labels/p9_liver.nii.gz"),
    )


def entry(folder, **given):
    return Folders.model_validate(
        {"labelled": [{"images": folder / "images", "label_maps": folder / "labels", **given}]}
    )


def test_scans_have_their_masks_of_a_flat_folder_and_a_label_map_of_their_own_goes_before(flat):
    labels = flat / "labels"
    found = search(entry(flat), organs=[Organ(1, "liver"), Organ(2, "kidney", aliases=("Niere",))])
    assert [(scan.case, scan.label_map, dict(scan.masks)) for scan in found.scans] == [
        ("p0", labels, {labels / "p0_Niere.nii.gz": "Niere", labels / "p0_liver.nii.gz": "liver"}),
        ("p1", labels, {labels / "p1_Niere.nii.gz": "Niere"}),
        ("p2", labels / "p2.nii.gz", {}),
        ("p3", labels / "p3.nii.gz", {}),
    ]
    assert [error.case for error in missing_label_maps(found.scans)] == ["p3"]
    warning, note = strays(found)
    assert warning.severity == "warning" and "p1_Niere.mha (p1_Niere.nii.gz is taken)" in warning.found
    assert note.found == "2 label map(s) belong to no scan: p2_liver.nii.gz, p9_liver.nii.gz"


def test_truths_may_lie_flat_too(flat):
    folders = Folders.model_validate(
        {"labelled": [{"table": "none"}], "unlabelled": [{"images": flat / "images", "truth": flat / "labels"}]}
    ).model_copy(update={"labelled": []})
    truths = {scan.case: (scan.truth, len(scan.masks)) for scan in find_scans(folders)}
    assert truths == {
        "p0": (flat / "labels", 2), "p1": (None, 0), "p2": (flat / "labels/p2.nii.gz", 0), "p3": (None, 0),
    }  # fmt: skip
