"""Where label maps go, and what is refused before a model is loaded."""

import os
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import slicerio

from dicom_series import write_series
from noisy_student.errors import InputError
from noisy_student.label.jobs import jobs_of
from noisy_student.label.mark import TEXT
from noisy_student.label.scans import find_scans
from noisy_student.organs import Organ
from noisy_student.reading.door import read_scan
from noisy_student.writing.door import ENDINGS, write_segmentation
from noisy_student.writing.segmentation import Segmentation

CT = np.arange(60, dtype=np.int16).reshape(3, 4, 5)


@pytest.fixture
def scans(tmp_path):
    """A folder of two scans."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("a_0000.nii.gz", "b.nrrd"):
        sitk.WriteImage(sitk.GetImageFromArray(CT), str(folder / name))
    return folder


def outputs(image, output, *formats):
    return [path for job in jobs_of(image, find_scans(image), str(output), formats) for path in job.label_maps]


def refused(image, output, match, *formats):
    with pytest.raises(InputError, match=match):
        outputs(image, output, *formats)


def test_label_maps_of_a_folder_are_named_as_its_cases(scans, tmp_path):
    assert outputs(scans, tmp_path / "labels") == [tmp_path / "labels" / f"{case}.nii.gz" for case in "ab"]


@pytest.mark.parametrize("output", ["labels", "labels/", "labels_v1.2", "labels.final/", "there.nii.gz"])
def test_an_output_that_is_a_folder_gets_the_one_scans_label_map_too(scans, tmp_path, output):
    (tmp_path / "there.nii.gz").mkdir()
    assert outputs(scans / "b.nrrd", f"{tmp_path}/{output}") == [tmp_path / output / "b.nii.gz"]


@pytest.mark.parametrize("name", ["x.nii.gz", "x.nii", "x.nrrd", "x.mha"])
def test_one_scan_may_have_its_label_map_under_any_name(scans, tmp_path, name):
    assert outputs(scans / "b.nrrd", tmp_path / name) == [tmp_path / name]
    assert outputs(scans / "b.nrrd", scans / name) == [scans / name]


@pytest.mark.parametrize("name", ["x.png", "x.mhd", "x.gz", "x.NII.GZ", "x.img", "x.npz"])
def test_a_format_that_holds_no_label_map_is_refused(scans, tmp_path, name):
    refused(scans / "b.nrrd", tmp_path / name, r"of a format that holds one: \.nii\.gz")


def test_a_file_for_many_scans_is_refused_and_the_remedy_works(scans, tmp_path):
    refused(scans, tmp_path / "x.nii.gz", f"for 2 scans of {scans}\nremedy: name a folder, such as {tmp_path}/x/,")
    assert len(outputs(scans, f"{tmp_path}/x/")) == 2


def test_the_scans_own_folder_is_refused_by_whatever_name(scans, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(scans)
    for output in (scans, tmp_path / "link", f"{scans}/../scans/"):
        for image in (scans, tmp_path / "link", scans / "b.nrrd"):
            refused(image, output, "another folder than the scans")
    monkeypatch.chdir(scans)
    refused(Path(), ".", "another folder than the scans")


@pytest.mark.parametrize("link", [os.link, os.symlink, shutil.copy])
def test_a_scan_is_never_the_output_nor_is_a_file_that_is_no_label_map(scans, tmp_path, link):
    other = tmp_path / "labels/b.nii.gz"
    other.parent.mkdir()
    link(scans / "b.nrrd", other)
    is_copy = link is shutil.copy
    refused(scans, other.parent, "another file, to be kept" if is_copy else r"is the scan .*b\.nrrd itself")
    refused(scans / "b.nrrd", other, "another file, to be kept" if is_copy else "itself")


def test_a_scan_itself_and_a_channel_of_it_are_refused(scans):
    refused(scans / "b.nrrd", scans / "b.nrrd", "itself")
    refused(scans / "b.nrrd", scans / "a_0000.nii.gz", "another file, to be kept")


def test_a_folder_gets_each_format_that_is_wanted(tmp_path):
    write_series(tmp_path / "case", CT)
    names = ["case.nii.gz", "case.seg.nrrd", "case.dcm"]
    wanted = ("nii.gz", "seg.nrrd", "dicom-seg")
    assert outputs(tmp_path / "case", tmp_path / "x", *wanted) == [tmp_path / "x" / name for name in names]


def test_a_files_name_says_its_format_and_no_other_is_wanted(scans, tmp_path):
    assert outputs(scans / "b.nrrd", tmp_path / "x.seg.nrrd", "seg.nrrd") == [tmp_path / "x.seg.nrrd"]
    refused(scans / "b.nrrd", tmp_path / "x.nii.gz", "no seg.nrrd\nremedy: name a folder", "nii.gz", "seg.nrrd")


def test_dicom_seg_of_scans_that_are_no_dicom_is_refused_with_their_names(scans, tmp_path):
    write_series(scans / "c", CT)
    found = r"2 scan\(s\) of other formats: a_0000\.nii\.gz, b\.nrrd"
    refused(scans, tmp_path / "labels", found, "dicom-seg", "nii.gz")
    refused(scans / "b.nrrd", tmp_path / "x.dcm", r"1 scan\(s\) of other formats")
    assert outputs(scans / "c", tmp_path / "x.dcm") == [tmp_path / "x.dcm"]


@pytest.mark.parametrize("extension", [*ENDINGS, ".seg.nrrd"])
def test_label_maps_of_an_earlier_run_are_replaced_and_no_others(tmp_path, extension):
    write_series(tmp_path / "case", CT)
    mine, others, empty = (tmp_path / f"{name}{extension}" for name in ("mine", "others", "empty"))
    label_map = read_scan(tmp_path / "case").image > -1000
    for path, note in ((mine, TEXT), (others, "")):
        write_segmentation(Segmentation(label_map, [Organ(1, "liver")], "a model", note), tmp_path / "case", path)
    empty.touch()
    assert outputs(tmp_path / "case", mine) == [mine] and outputs(tmp_path / "case", empty) == [empty]
    refused(tmp_path / "case", others, "another file, to be kept")


def by_nibabel(path):
    image = nibabel.load(path)
    voxels = np.asarray(image.dataobj).copy()
    voxels[0, 0, 0] ^= 1
    nibabel.save(nibabel.Nifti1Image(voxels, image.affine, image.header), path)


def by_simpleitk(path):
    image = sitk.ReadImage(str(path))
    image[0, 0, 0] ^= 1
    sitk.WriteImage(image, str(path))


def by_slicerio(path):
    segmentation = slicerio.read_segmentation(str(path))
    segmentation["voxels"] = segmentation["voxels"].copy()
    segmentation["voxels"][0, 0, 0] ^= 1
    slicerio.write_segmentation(str(path), segmentation)


def by_pydicom(path):
    data = pydicom.dcmread(path)
    data.PixelData = bytes([data.PixelData[0] ^ 1]) + data.PixelData[1:]
    data.save_as(path)


def by_another_segment(path):
    data = pydicom.dcmread(path)
    data.PerFrameFunctionalGroupsSequence[0].SegmentIdentificationSequence[0].ReferencedSegmentNumber = 2
    data.save_as(path)


@pytest.mark.parametrize(
    ("extension", "correct"),
    [(".nii.gz", by_nibabel), (".nii.gz", by_simpleitk), (".seg.nrrd", by_simpleitk), (".seg.nrrd", by_slicerio),
     (".nrrd", by_simpleitk), (".mha", by_simpleitk), (".dcm", by_pydicom), (".dcm", by_another_segment)],
)  # fmt: skip
def test_a_label_map_of_an_earlier_run_that_was_corrected_since_is_kept(tmp_path, extension, correct):
    write_series(tmp_path / "case", CT)
    path, label_map = tmp_path / f"mine{extension}", read_scan(tmp_path / "case").image > -1000
    label_map[1, 1, 1] = 2
    segmentation = Segmentation(label_map, [Organ(1, "liver"), Organ(2, "spleen")], "a model", TEXT)
    write_segmentation(segmentation, tmp_path / "case", path)
    assert outputs(tmp_path / "case", path) == [path]
    correct(path)
    refused(tmp_path / "case", path, "changed since, perhaps corrected by hand\nremedy: move it away to keep it")


def test_a_header_that_is_written_again_is_no_correction(tmp_path):
    write_series(tmp_path / "case", CT)
    path, label_map = tmp_path / "mine.nii.gz", read_scan(tmp_path / "case").image > -1000
    write_segmentation(Segmentation(label_map, [Organ(1, "liver")], "a model", TEXT), tmp_path / "case", path)
    image = nibabel.load(path)
    nibabel.save(nibabel.Nifti1Image(image.get_fdata(), image.affine, image.header, dtype=np.float64), path)
    assert outputs(tmp_path / "case", path) == [path]


@pytest.mark.parametrize("output", ["", "labels", "label_map.nii.gz", "slices/x/y.nii.gz"])
def test_no_label_map_lies_among_a_series_slices(tmp_path, output):
    write_series(tmp_path / "case/slices", CT)
    (tmp_path / "link").symlink_to(tmp_path / "case")
    refused(tmp_path / "case", tmp_path / "case" / output, "another folder than the scans")
    refused(tmp_path / "link", tmp_path / "link" / output, "another folder than the scans")
    refused(tmp_path / "case", tmp_path / "link" / output, "another folder than the scans")
    assert outputs(tmp_path / "case", tmp_path) == [tmp_path / "case.nii.gz"]


def test_a_slice_of_a_series_is_not_the_output_by_another_name(tmp_path):
    slices = write_series(tmp_path / "case", CT)
    os.link(slices[1], tmp_path / "x.nii.gz")
    refused(tmp_path / "case", tmp_path / "x.nii.gz", "is the scan .*case itself")


def test_a_case_named_by_where_one_is_has_its_name(tmp_path, monkeypatch):
    write_series(tmp_path / "case", CT)
    monkeypatch.chdir(tmp_path / "case")
    assert outputs(Path(), tmp_path / "labels") == [tmp_path / "labels/case.nii.gz"]


def test_two_scans_of_one_case_name_are_refused_with_their_names(scans, tmp_path):
    shutil.copy(scans / "a_0000.nii.gz", scans / "a.nii.gz")
    write_series(scans / "a", CT)
    refused(scans, tmp_path / "labels", r"a, a\.nii\.gz, a_0000\.nii\.gz are all a")


def test_a_place_that_cannot_be_written_to_is_refused(scans, tmp_path):
    (tmp_path / "file").touch()
    for output in ("file", "file/labels/", "file/x.nii.gz"):
        refused(scans / "b.nrrd", f"{tmp_path}/{output}", f"{tmp_path}/file is no folder")


@pytest.mark.parametrize("below", ["", "new"])
def test_a_folder_that_is_a_link_to_nothing_is_refused_before_any_work(scans, tmp_path, below):
    (tmp_path / "labels").symlink_to(tmp_path / "unmounted")
    refused(scans, tmp_path / "labels" / below, r"labels is a link to .*unmounted, which is not there")
