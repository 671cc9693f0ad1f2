"""Label maps with names instead of numbers are checked like others, and kept in the label table's numbers."""

import numpy as np
import pytest
import SimpleITK as sitk

from header_files import write_nrrd
from labelled_series import array_of, make_series
from noisy_student.cohort.case_checks import Standard, examine
from noisy_student.cohort.scans import Scan
from noisy_student.geometry import image_like
from noisy_student.organs import FLARE22
from noisy_student.reading.door import read_scan
from noisy_student.reading.nifti import plain_orientation
from segmentation_files import as_nifti, by_highdicom, by_slicerio, write_structures

NAMES = {1: "Leber", 3: "Kidney_R", 4: "kidney_left"}
# Right kidney and left kidney of the label table; a name that is none of its organs is left out.
TABLE = {3: 2, 4: 13}


@pytest.fixture(scope="module")
def ct(tmp_path_factory):
    return make_series(tmp_path_factory.mktemp("ct"), "tilted")


def masks_of(labels):
    return {name: labels == label for label, name in NAMES.items()}


def segmentation(folder, ct):
    return by_highdicom(folder / "a.dcm", ct.files, ct.labels, NAMES)


def folder_of_masks(folder, ct):
    (folder / "case").mkdir()
    for name, mask in masks_of(ct.expected()).items():
        as_nifti(folder / f"case/{name}.nii.gz", mask.astype(np.uint8), ct.scan.image)
    return folder / "case"


def layers(folder, ct):
    masks = masks_of(ct.expected())
    return by_slicerio(folder / "a.seg.nrrd", masks | {"again": masks["Leber"]}, ct.scan.image)


@pytest.mark.parametrize("write", [segmentation, folder_of_masks, layers])
def test_each_is_kept_as_a_label_map_in_the_table_s_numbers(tmp_path, ct, write):
    # Numbers are of files that have them: these would turn all organs round.
    given = {"labels": {"liver": 3, "spleen": 4}, "organs": ("right kidney", "left kidney")}
    scan = Scan("c", "labelled", ct.folder, write(tmp_path, ct), **given)
    row, findings = examine(scan, Standard(FLARE22, tmp_path / "renumbered"))
    assert not [finding for finding in findings if finding.severity == "error"]
    assert row["label_map"] == tmp_path / "renumbered/c.nii.gz" and row["labels"] == [0, 2, 13]
    wanted = np.select([ct.expected() == label for label in TABLE], list(TABLE.values()))
    kept = read_scan(row["label_map"])
    assert np.array_equal(array_of(kept), wanted) and plain_orientation(row["label_map"]) == "LPS"
    assert kept.geometry.differences(ct.scan.geometry) == [] and len(row["labels_sha256"]) == 64


def test_what_is_wrong_with_one_is_a_finding(tmp_path, ct):
    path = write_structures(tmp_path / "a.dcm", {"liver": [np.zeros((3, 3))], "x": []}, frame="2.25.6")
    row, findings = examine(Scan("c", "labelled", ct.folder, path), Standard(FLARE22, tmp_path / "renumbered"))
    errors = [finding.found for finding in findings if finding.severity == "error"]
    assert errors == ["another one: the FrameOfReferenceUIDs differ"] and row["labels_sha256"] == ""


def test_a_segmentation_of_slicer_on_a_grid_of_its_own_is_brought_onto_the_scan_s(tmp_path):
    image = image_like(np.full((3, 4, 5), 60, np.int16), sitk.Image(5, 4, 3, sitk.sitkInt16))
    image[0, 0, 0] = -1000
    image.SetSpacing((2, 2, 3))
    sitk.WriteImage(image, str(tmp_path / "scan.nii.gz"))
    fields = "space: LPS\nspace directions: (2,0,0) (0,2,0) (0,0,3)\nspace origin: (2,2,3)\nSegment0_ID:=a\n"
    fields += "Segment0_LabelValue:=1\nSegment0_Layer:=0\nSegment0_Name:=liver"
    label_map = write_nrrd(tmp_path / "a.seg.nrrd", bytes([1] * 8), fields=fields, kind="uchar", sizes="2 2 2")
    scan = Scan("c", "labelled", tmp_path / "scan.nii.gz", label_map)
    row, _ = examine(scan, Standard(FLARE22, tmp_path / "renumbered"))
    kept = sitk.GetArrayFromImage(sitk.ReadImage(str(row["label_map"])))
    assert kept.shape == (3, 4, 5) and kept.sum() == 8 and kept[1:3, 1:3, 1:3].all()
