"""What lies in folders of scans as people keep them: each entry a scan, its companion, or named with the reason."""

import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.cohort.passed_over import PassedOver, contents, in_words

DICOM = bytes(128) + b"DICM"


@pytest.fixture
def lay(tmp_path):
    """Write files below a folder."""

    def make(*names, content=b""):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
        return tmp_path

    return make


def reasons(folder):
    return {entry.path.name: entry.why for entry in contents(folder).passed_over}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("d.hdr", ".hdr/.img"), ("d.IMG", ".hdr/.img"), ("d.img.gz", ".hdr/.img"),
        ("all.zip", "archive"), ("all.tar.gz", "archive"), ("x.nii.bz2", "archive"),
        ("README.md", "no image"), ("scan.mgz", "none of the formats"), ("slice.dcm", "a folder of its own"),
        ("f/ct.nii.gz", "1 file(s) such as ct.nii.gz"),
        ("g/deep/er/ct.mha", "such as deep/er/ct.mha"), ("pictures/a.png", "without DICOM"),
        ("__MACOSX/._a.nii.gz", "without DICOM"), ("a_seg.nii.gz", "label map of a.nii.gz"),
        ("a-label.nrrd", "label map of a.nii.gz"), ("b.seg.nrrd", "3D Slicer"),
    ],
)  # fmt: skip
def test_what_is_no_scan_is_named_with_the_reason(lay, name, why):
    folder = lay("a.nii.gz", name)
    found = reasons(folder)
    assert list(found) == [name.split("/")[0]] and why in found[name.split("/")[0]]
    assert [path.name for path in contents(folder).scans] == ["a.nii.gz"]


def test_slices_beside_files_are_named_and_folders_of_slices_are_scans(lay):
    lay("a.nii.gz", "no_preamble/0001", "damaged/0001")
    folder = lay("IM0001", "IM0002", "series/deep/IM0001", content=DICOM)
    (folder / "empty").mkdir()
    assert {"IM0001", "IM0002"} == reasons(folder).keys()
    assert [path.name for path in contents(folder).scans] == ["a.nii.gz", "damaged", "empty", "no_preamble", "series"]


@pytest.mark.parametrize("compressed", [True, False])
def test_voxels_of_headers_and_side_files_of_scans_are_no_entries(lay, compressed):
    folder = lay("x_0000.nii.gz", "x_Eq_1.nii.gz", "x.json", "x_Eq_1.json", "x_0000.bval", ".DS_Store", "._x.nii.gz")
    for name in ("b.mhd", "c.nhdr"):
        image = sitk.GetImageFromArray(np.zeros((3, 4, 5), np.int16))
        sitk.WriteImage(image, str(folder / name), useCompression=compressed)
    found = contents(folder)
    assert [path.name for path in found.scans] == ["b.mhd", "c.nhdr", "x_Eq_1.nii.gz"]
    assert found.passed_over == [] and list(found.superseded) == [folder / "x_0000.nii.gz"]


def test_names_of_label_maps_without_their_scan_are_scans(lay):
    folder = lay("label0001.nii.gz", "b_mask.nii.gz")
    assert len(contents(folder).scans) == 2


def test_words_show_different_reasons_first_and_what_may_hold_a_scan_before_other_files(lay, tmp_path):
    lay("a.nii.gz", "A.txt", "b.zip", "c.zip", "d.zip", "e.hdr", "f/ct.nii.gz")
    words = in_words(contents(tmp_path).passed_over)
    assert words == (
        "b.zip (an archive: unpack it); e.hdr (a .hdr/.img pair is not read: convert it to .nii.gz); "
        "f (a folder with 1 file(s) such as ct.nii.gz); …"
    )
    assert in_words([PassedOver(tmp_path / "b.zip", "why")]) == "b.zip (why)"
