"""Masks as DICOM slices, a folder for each organ, are laid on their scan by the slices' positions."""

import numpy as np
import pydicom
import pytest

from dicom_series import UPRIGHT, change, write_series
from labelled_series import KINDS, NAMES, SPACING_MM_XYZ, array_of, make_series, rank
from noisy_student.errors import InputError
from noisy_student.reading.dicom import pixels
from noisy_student.reading.door import read_label_map
from segmentation_files import by_highdicom


def write_masks(folder, labels_zyx, kind="straight", inside=255, intercept="0"):
    """Masks of 0 and 255, named as 3D-IRCADb names them; those that `intercept` gives, as stored."""
    places = {"spacing_mm_xyz": SPACING_MM_XYZ, "axes": UPRIGHT} | KINDS[kind]
    for label, name in (NAMES | {9: "heart"}).items():
        mask = (inside * (labels_zyx == label)).astype(np.int16)
        files = write_series(
            folder / name, mask, series=f"1.2.7.{label}", tag_0028_1052=intercept, tag_0008_0060="OT", **places
        )
        for number, path in enumerate(files):
            path.rename(path.with_name(f"image_{number}"))
    return folder


@pytest.mark.parametrize(("kind", "intercept"), [("straight", "0"), ("tilted", "-1024"), ("uneven", "0"),
                                                 ("coronal", "0")])  # fmt: skip
def test_each_slice_is_read_at_its_place(tmp_path, kind, intercept):
    ct = make_series(tmp_path / "ct", kind)
    folder = write_masks(tmp_path / "masks", ct.labels, kind, intercept=intercept)
    volume = read_label_map(folder, ct.scan, rank)
    assert np.array_equal(array_of(volume), ct.expected()) and volume.geometry == ct.scan.geometry
    assert volume.names == {1: "liver", 3: "spleen", 4: "pancreas", 256: "heart"}
    assert volume.is_by_name and not volume.is_plain


def test_an_intercept_that_was_copied_from_a_ct_is_none_of_a_mask_s(tmp_path):
    ct = make_series(tmp_path / "ct", "straight")
    folder = write_masks(tmp_path / "masks", ct.labels)
    for path in folder.glob("*/image_*"):
        change(path, RescaleIntercept=-1024)
    assert np.array_equal(array_of(read_label_map(folder, ct.scan, rank)), ct.expected())


def test_slices_are_ordered_by_position_whatever_their_names_and_numbers(tmp_path):
    ct = make_series(tmp_path / "ct", "straight")
    folder = write_masks(tmp_path / "masks", ct.labels, inside=1)
    for path in folder.glob("*/image_*"):
        number = int(path.name.removeprefix("image_"))
        change(path, InstanceNumber=100 - number)
        path.rename(path.with_name(f"slice_{100 - number}"))
    assert np.array_equal(array_of(read_label_map(folder, ct.scan, rank)), ct.expected())


def test_acquisitions_that_alternate_are_a_warning_of_a_mask(tmp_path):
    ct = make_series(tmp_path / "ct", "straight")
    folder = write_masks(tmp_path / "masks", ct.labels)
    for path in folder.glob("*/image_*"):
        change(path, AcquisitionNumber=int(path.name.removeprefix("image_")) % 2)
    remarks = read_label_map(folder, ct.scan, rank).remarks
    assert {(remark.kind, remark.severity) for remark in remarks} == {("acquisitions", "warning")}


def test_without_a_scan_they_have_their_own_grid_and_each_is_read_once(tmp_path, monkeypatch):
    ct = make_series(tmp_path / "ct", "straight")
    folder = write_masks(tmp_path / "masks", ct.labels)
    read, read_pixels = [], pixels.read_pixels
    monkeypatch.setattr(pixels, "read_pixels", lambda path, slices: read.append(path.name) or read_pixels(path, slices))
    volume = read_label_map(folder)
    assert volume.names == {1: "heart", 2: "liver", 3: "pancreas", 4: "spleen"}
    assert volume.geometry.differences(ct.scan.geometry) == []
    assert read == ["heart", "liver", "pancreas", "spleen"]


def test_organs_that_are_not_asked_for_are_not_read(tmp_path):
    ct = make_series(tmp_path / "ct", "straight")
    folder = write_masks(tmp_path / "masks", ct.labels)
    for path in (folder / "heart").iterdir():
        path.write_bytes(path.read_bytes()[:-50])
    assert np.array_equal(array_of(read_label_map(folder, ct.scan, rank)), ct.expected())


def take_out(number):
    return lambda liver: (liver / f"image_{number}").unlink()


def shift(liver):
    for path in liver.iterdir():
        x, y, z = pydicom.dcmread(path).ImagePositionPatient
        change(path, ImagePositionPatient=[x, y, z + 3])


def lose_places(liver):
    for path in liver.iterdir():
        change(path, ImagePositionPatient=None)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (take_out(13), r"size \(35, 33, 14\) and \(35, 33, 13\)"),
        (take_out(6), "the widest gap between image_5 and image_7"),
        (shift, "origin in mm"),
        (lose_places, r"does not say where it lies \(tag 0020\|0032\)"),
    ],
)
def test_one_that_lacks_slices_or_lies_elsewhere_is_refused(tmp_path, spoil, said):
    ct = make_series(tmp_path / "ct", "straight")
    folder = write_masks(tmp_path / "masks", ct.labels)
    spoil(folder / "liver")
    with pytest.raises(InputError, match=said) as error:
        read_label_map(folder, ct.scan, rank)
    assert str(folder / "liver") in error.value.wanted and "dcm2niix" not in error.value.remedy


def test_a_segmentation_among_the_folders_goes_before_the_images_that_it_was_drawn_on(tmp_path):
    ct = make_series(tmp_path / "case/ct", "straight")
    (tmp_path / "case/seg").mkdir()
    by_highdicom(tmp_path / "case/seg/a.dcm", ct.files, ct.labels, NAMES)
    assert np.array_equal(array_of(read_label_map(tmp_path / "case", ct.scan, rank)), ct.labels)


def test_slices_with_numbers_are_refused_with_what_can_be_done(tmp_path):
    ct = make_series(tmp_path / "ct", "straight")
    folder = tmp_path / "numbers"
    write_series(folder, ct.labels.astype(np.int16), SPACING_MM_XYZ)
    with pytest.raises(InputError, match=r"14 DICOM image\(s\) such as IM") as error:
        read_label_map(folder, ct.scan, rank)
    assert "`labels`" in error.value.remedy and "GetGDCMSeriesFileNames" in error.value.remedy
