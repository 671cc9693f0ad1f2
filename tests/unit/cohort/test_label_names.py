import json
import re
from dataclasses import replace

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from header_files import write_nrrd
from noisy_student.cohort.case_checks import Standard
from noisy_student.cohort.case_table import make_case_table
from noisy_student.cohort.label_names import Named, name_remarks, right_numbers
from noisy_student.cohort.organ_names import OrganNames
from noisy_student.cohort.scans import Scan
from noisy_student.configuration.numbering import numbering_errors
from noisy_student.organs import FLARE22, Organ

ALPHABETICAL = {number: name for number, name in enumerate(sorted(organ.name for organ in FLARE22), 1)}
AMOS = {1: "spleen", 2: "right kidney", 3: "left kidney", 4: "gall bladder", 5: "esophagus", 6: "liver", 7: "stomach"}
AMOS |= {8: "arota", 9: "postcava", 10: "pancreas", 11: "right adrenal gland", 12: "left adrenal gland", 13: "duodenum"}
AMOS |= {14: "bladder", 15: "prostate/uterus"}
TOTALSEGMENTATOR = {1: "spleen", 2: "kidney_right", 3: "kidney_left", 4: "gallbladder", 5: "liver", 6: "stomach"}
TOTALSEGMENTATOR |= {7: "pancreas", 8: "adrenal_gland_right", 9: "adrenal_gland_left", 10: "lung_upper_lobe_left"}
TOTALSEGMENTATOR |= {15: "esophagus", 19: "duodenum", 52: "aorta", 63: "inferior_vena_cava"}
THREE = (Organ(1, "liver"), Organ(2, "spleen"), Organ(3, "pancreas"))


TABLE = {organ.name: organ.label for organ in FLARE22}


def remarks(names, labels, organs=FLARE22):
    return name_remarks(Named("its header", names), labels, organs)


def mapping_in(remedy):
    """The `labels:` mapping of a remedy, as YAML reads it."""
    return yaml.safe_load(re.search(r"labels: \{.*?\}", remedy)[0])["labels"]


@pytest.mark.parametrize("names", [ALPHABETICAL, AMOS, TOTALSEGMENTATOR])
def test_the_remedy_is_the_mapping_that_is_right(names):
    (found,) = remarks(names, TABLE)
    assert found.severity == "error" and "its header" in found.found and "`labels`" in found.found
    assert f"1 is {names[1]!r} and taken for liver" in found.found
    right = mapping_in(found.remedy)
    assert numbering_errors(right, FLARE22) == []
    assert remarks(names, right) == []


@pytest.mark.parametrize(
    ("names", "labels", "organs"),
    [
        ({organ.label: organ.name for organ in FLARE22} | {14: "tumor"}, TABLE, FLARE22),
        ({1: "Segment_1", 2: "organ two", 3: "foie"}, TABLE, FLARE22),
        ({}, TABLE, FLARE22),
        ({1: "pancreas", 2: "cancer"}, {"pancreas": [1, 2]}, (Organ(1, "pancreas"),)),
        ({1: "liver", 2: "hepatic vessels"}, {"liver": [1, 2]}, (Organ(1, "liver"),)),
        ({1: "liver", 2: "heart"}, {"liver": 1, "my structure": 2}, (Organ(1, "liver"), Organ(2, "my structure"))),
        ({6: "liver", 1: "spleen", 3: "aorta"}, {"liver": 6, "spleen": 1, "pancreas": 9}, THREE),
        ({1: "foie", 2: "Milz"}, {"liver": 1, "spleen": 2}, (Organ(1, "liver", aliases=["Foie"]), Organ(2, "spleen"))),
    ],
)
def test_names_that_agree_or_fit_no_organ_are_no_contradiction(names, labels, organs):
    assert remarks(names, labels, organs) == []


@pytest.mark.parametrize(
    ("names", "labels", "said"),
    [
        ({1: "spleen", 2: "liver"}, None, "1 is 'spleen' and taken for liver; 2 is 'liver' and taken for spleen"),
        ({1: "liver", 2: "bladder"}, None, "2 is 'bladder' and taken for spleen"),
        ({1: "liver", 7: "spleen"}, None, "spleen is 7 and taken from 2"),
        ({1: "liver", 2: "spleen"}, {"liver": 2, "spleen": 1, "pancreas": 3}, "than by `labels`"),
        ({1: "liver", 2: "spleen"}, {"liver": [1, 2], "spleen": 4, "pancreas": 3}, "2 is 'spleen' and taken for liver"),
    ],
)
def test_what_contradicts_is_said_number_by_number(names, labels, said):
    (found,) = remarks(names, labels or {organ.name: organ.label for organ in THREE}, THREE)
    assert said in found.found
    assert remarks(names, mapping_in(found.remedy), THREE) == []


def test_an_organ_without_a_name_is_named_and_gets_a_number_of_its_own():
    used = {organ.name: [organ.label] for organ in THREE}
    right, unnamed = right_numbers(used, {2: "liver", 3: "heart"}, THREE, OrganNames(THREE))
    assert right == {"liver": [2], "spleen": [4], "pancreas": [5]} and unnamed == ["spleen", "pancreas"]


@given(st.permutations(range(1, 21)), st.integers(1, 13))
def test_any_numbering_is_either_in_use_or_mended_by_its_remedy(numbers, known):
    names = {number: organ.name for number, organ in zip(numbers, FLARE22[:known], strict=False)}
    used = {organ.name: [organ.label] for organ in FLARE22}
    right, _ = right_numbers(used, names, FLARE22, OrganNames(FLARE22))
    assert numbering_errors(right, FLARE22) == []
    assert all(names.get(right[name][0]) == name for name in names.values())


@pytest.fixture
def labelled(write_scan):
    """Write a scan and its label map, and give the case."""

    def make(case, label_map=None):
        voxels = np.random.default_rng(len(case)).integers(-1000, 1000, (3, 4, 5)).astype(np.int16)
        geometry = {"spacing": (2, 2, 3), "direction": (1, 0, 0, 0, 1, 0, 0, 0, 1)}
        image = write_scan(f"images/{case}.nii.gz", voxels, **geometry)
        array = np.ones((3, 4, 5), np.uint8)
        return Scan(case, "labelled", image, label_map or write_scan(f"labelsTr/{case}.nii.gz", array, **geometry))

    return make


def errors_of(scans, tmp_path):
    findings = make_case_table(scans, Standard(FLARE22, tmp_path / "renumbered"), cores=1)[1]
    return findings[findings.severity == "error"].reset_index(drop=True)


def test_a_dataset_json_that_contradicts_labels_is_one_error_for_its_source(labelled, tmp_path):
    scans = [replace(labelled(case), labels=TABLE) for case in ("a", "bb", "ccc")]
    described = {"labels": {name: number for number, name in ALPHABETICAL.items()}}
    (tmp_path / "dataset.json").write_text(json.dumps(described))
    errors = errors_of(scans, tmp_path)
    assert list(errors.case) == ["a"] and "in 2 more of its source" in errors.found[0]
    assert str(tmp_path / "dataset.json") in errors.found[0]
    assert mapping_in(errors.remedy[0]) == described["labels"]


@pytest.mark.parametrize(("name", "is_wrong"), [("liver", False), ("Segment_1", False), ("spleen", True)])
def test_a_segment_s_name_in_the_header_goes_before_those_beside(labelled, tmp_path, name, is_wrong):
    keys = f"Segment0_ID:=a\nSegment0_LabelValue:=1\nSegment0_Layer:=0\nSegment0_Name:={name}"
    fields = f"space: LPS\nspace directions: (2,0,0) (0,2,0) (0,0,3)\nspace origin: (0,0,0)\n{keys}"
    label_map = write_nrrd(tmp_path / "a.seg.nrrd", np.ones(60, np.uint8).tobytes(), fields=fields, kind="uchar")
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"1": "aorta"}}))
    errors = errors_of([replace(labelled("a", label_map), labels=TABLE)], tmp_path)
    assert list(errors.file) == ([label_map] if is_wrong else [])
