"""Slices are ordered, copies left out, and what cannot be one whole scan is refused in words that help."""

import shutil

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_series import change, without_mark, write_series
from noisy_student.errors import InputError
from noisy_student.reading.dicom.gaps import distances_mm, is_even
from noisy_student.reading.door import read_scan

VOXELS = np.random.default_rng(0).integers(-1000, 1500, (12, 5, 4)).astype(np.int16)


@pytest.fixture
def series(tmp_path):
    """A folder with a series of twelve slices of 3 mm, and its files from foot to head."""
    files = write_series(tmp_path / "case", VOXELS)
    return tmp_path / "case", files


def voxels(folder):
    return sitk.GetArrayFromImage(read_scan(folder).image)


def refusal(folder):
    with pytest.raises(InputError) as error:
        read_scan(folder)
    return str(error.value)


@pytest.mark.parametrize("some", [3, 12])
def test_slices_without_preamble_are_read(series, some):
    folder, files = series
    for path in files[:some]:
        without_mark(path)
        path.rename(path.with_suffix(""))
    assert (voxels(folder) == VOXELS).all()


def test_copies_are_left_out_with_a_warning(series):
    folder, files = series
    for number in (1, 4, 5, 7):
        shutil.copy(files[number], folder / f"copy_{number}.dcm")
    assert (voxels(folder) == VOXELS).all()
    [remark] = read_scan(folder).remarks
    assert remark.kind == "copies" and remark.severity == "warning" and "4 slice(s)" in remark.found
    assert remark.found.count(".dcm") == 3


def test_a_copy_with_another_header_or_without_mark_is_one(series):
    folder, files = series
    shutil.copy(files[1], folder / "renamed.dcm")
    change(folder / "renamed.dcm", SOPInstanceUID="1.2.3.99", PatientName="ANONYMOUS")
    shutil.copy(files[2], folder / "old")
    without_mark(folder / "old")
    assert (voxels(folder) == VOXELS).all()


def test_slices_that_share_an_instance_uid_are_no_copies_elsewhere(series):
    folder, files = series
    for path in files:
        change(path, SOPInstanceUID="1.2.3")
    assert (voxels(folder) == VOXELS).all() and read_scan(folder).remarks == ()


def test_a_slice_that_differs_from_another_one_at_its_place_is_no_copy(series):
    folder, files = series
    write_series(folder / "late", VOXELS[:1] + 7)
    said = refusal(folder)
    assert "1 slice(s) at the place of another" in said and files[0].name in said and "phase" in said


def test_phases_are_told_apart_by_their_acquisition(series):
    folder, files = series
    for path in [*files, *write_series(folder / "late", VOXELS + 5)]:
        change(path, AcquisitionNumber=2 if path.parent.name == "late" else 1)
    assert "12 slice(s)" in refusal(folder) and "acquisitions 1 and 2" in refusal(folder)


@pytest.mark.parametrize("distance_mm", [0.25, 0.3, 0.4, 0.5, 0.625, 0.7, 1.25])
def test_positions_rounded_to_a_tenth_of_a_millimetre_are_even(tmp_path, distance_mm):
    heights_mm = np.round(distance_mm * np.arange(12), 1)
    write_series(tmp_path, VOXELS, heights_mm=heights_mm)
    assert (voxels(tmp_path) == VOXELS).all() and read_scan(tmp_path).corrected == ""


@given(st.floats(0.25, 10), st.integers(6, 700), st.data())
def test_one_missing_slice_is_never_even(distance_mm, count, data):
    heights_mm = np.round(distance_mm * np.arange(count), data.draw(st.sampled_from([1, 3])))
    missing = data.draw(st.integers(1, count - 2))
    assert is_even(np.diff(heights_mm))
    assert not is_even(np.diff(np.delete(heights_mm, missing)))


@pytest.mark.parametrize("missing", [[1], [5], [10], [3, 4], [2, 7]])
@pytest.mark.parametrize("thickness", ["", "3"])
def test_missing_slices_are_an_error_that_names_the_gap(series, missing, thickness):
    folder, files = series
    for number, path in enumerate(files):
        change(path, SliceThickness=thickness)
        if number in missing:
            path.unlink()
    said = refusal(folder)
    before = missing[0] - 1
    behind = next(number for number in range(missing[0], 12) if number not in missing)
    assert files[before].name in said and files[behind].name in said and "restore missing slices" in said


def test_every_second_slice_missing_in_a_part_is_no_thickness(series):
    folder, files = series
    for number, path in enumerate(files):
        change(path, SliceThickness="3")
        if number in (5, 7, 9):
            path.unlink()
    assert "3 to 6 mm apart" in refusal(folder)


def test_the_converter_is_named_only_where_its_file_is_right(series, tmp_path):
    folder, files = series
    files[5].unlink()
    assert "dcm2niix -l n" in refusal(folder) and "_Eq_1" in refusal(folder)
    tilted = write_series(tmp_path / "tilted", VOXELS, tilt_mm=0.5)
    tilted[5].unlink()
    assert "restore missing slices" in refusal(tmp_path / "tilted")
    assert "dcm2niix" not in refusal(tmp_path / "tilted")


def test_acquisitions_that_overlap_are_refused(tmp_path):
    heights_mm = np.array([*np.arange(6) * 5.0, *(22.5 + 5.0 * np.arange(6))])
    write_series(tmp_path, VOXELS, heights_mm=heights_mm)
    said = refusal(tmp_path)
    assert "slices of one acquisition among those of another" in said and "IM009_6.dcm" in said


def test_acquisitions_that_alternate_evenly_are_an_error_that_may_be_accepted(series):
    folder, files = series
    for number, path in enumerate(files):
        change(path, AcquisitionNumber=number % 2, InstanceNumber=number)
    assert (voxels(folder) == VOXELS).all()
    assert [(remark.kind, remark.severity) for remark in read_scan(folder).remarks] == [("acquisitions", "error")]


@pytest.mark.parametrize("starts_mm", [(0, 2.5), (0, 2.7), (2.5, 0), (0, 5 / 3, 10 / 3)])
@pytest.mark.parametrize("begins_anew", [False, True])
def test_acquisitions_that_alternate_evenly_are_told_by_their_instance_numbers(tmp_path, starts_mm, begins_anew):
    for which, start_mm in enumerate(starts_mm):
        heights_mm = start_mm + 5.0 * np.arange(12)
        files = write_series(tmp_path / f"{which}", VOXELS + which, heights_mm=heights_mm)
        for number, path in enumerate(files):
            change(path, InstanceNumber=number + 12 * which * (not begins_anew), SOPInstanceUID=f"1.2.{which}.{number}")
    [remark] = read_scan(tmp_path).remarks
    assert (remark.kind, remark.severity) == ("acquisitions", "error") and "among those of another" in remark.found


def test_thin_slices_and_thick_ones_behind_them_are_one_acquisition(tmp_path):
    heights_mm = np.array([*np.arange(6), *(10 + 5.0 * np.arange(6))])
    write_series(tmp_path, VOXELS, heights_mm=heights_mm)
    assert [remark.kind for remark in read_scan(tmp_path).remarks] == ["resampled"]


def test_acquisitions_one_behind_the_other_are_one_scan(series):
    folder, files = series
    for number, path in enumerate(files):
        change(path, AcquisitionNumber=number // 6, InstanceNumber=number % 6)
    assert (voxels(folder) == VOXELS).all() and read_scan(folder).remarks == ()


def test_a_turned_slice_and_a_picture_in_colours_are_named(series):
    folder, files = series
    change(files[3], ImageOrientationPatient=[1, 0, 0, 0, 0, -1])
    assert files[3].name in refusal(folder) and "orientation" in refusal(folder)
    change(files[3], SamplesPerPixel=3)
    assert files[3].name in refusal(folder) and "colours" in refusal(folder)


def test_axes_rounded_to_three_digits_are_perpendicular(tmp_path):
    angle = np.radians(37.3)
    axes = np.round([[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0]], 3)
    write_series(tmp_path, VOXELS, axes=axes)
    direction = np.reshape(read_scan(tmp_path).image.GetDirection(), (3, 3))
    assert np.allclose(direction @ direction.T, np.eye(3), atol=1e-9)


def test_distances_are_named_widest_first():
    assert distances_mm(np.array([5, 5, 5, 3.75, 2.5, 2.5])) == "5 and 2.5"
    assert distances_mm(np.array([1.0, 1.2, 1.5, 1.9, 2.4])) == "1 to 2.4"


@pytest.mark.parametrize(("is_implicit", "is_little"), [(True, True), (False, True), (False, False)])
def test_bare_data_sets_are_read_in_any_encoding(series, is_implicit, is_little):
    folder, files = series
    for path in files:
        data = pydicom.dcmread(path)
        stream = DicomBytesIO()
        stream.is_implicit_VR, stream.is_little_endian = is_implicit, is_little
        if not is_little:
            data.PixelData = data.pixel_array.byteswap().tobytes()
        write_dataset(stream, data)
        path.with_suffix("").write_bytes(stream.getvalue())
        path.unlink()
    assert (voxels(folder) == VOXELS).all()
