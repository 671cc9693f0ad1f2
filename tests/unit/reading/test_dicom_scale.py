"""Stored values become Hounsfield units by each slice's own type and rescaling; what means no voxel becomes air."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from dicom_series import change, store, write_series
from noisy_student.cohort.image_checks import scan_remarks
from noisy_student.errors import InputError
from noisy_student.reading.door import read_scan
from noisy_student.reading.volume import NOT_CT

VOXELS = np.random.default_rng(0).integers(-1000, 1500, (6, 5, 4)).astype(np.int16)


@pytest.fixture
def series(tmp_path):
    """A folder with a series of six slices of VOXELS, and its files from foot to head."""
    return tmp_path, write_series(tmp_path, VOXELS)


def hounsfield(folder):
    return sitk.GetArrayFromImage(read_scan(folder).image)


def refusal(folder):
    with pytest.raises(InputError) as error:
        read_scan(folder)
    return str(error.value)


def test_each_slice_has_its_own_intercept_and_slope(series):
    folder, files = series
    for number, path in enumerate(files):
        intercept, slope = -1024 - 100 * (number % 3), 1 + number % 2
        stored = ((VOXELS[number] - intercept) // slope).astype(np.int16)
        store(path, stored, RescaleIntercept=intercept, RescaleSlope=slope)
    assert hounsfield(folder).dtype == np.int16
    assert np.abs(hounsfield(folder) - VOXELS).max() <= 1


def test_a_later_slice_of_a_wider_type_keeps_its_values(series):
    folder, files = series
    big = np.full((5, 4), 41024, np.uint16)
    store(files[4], big)
    assert (hounsfield(folder)[4] == 40000).all()
    assert (hounsfield(folder)[3] == VOXELS[3]).all()


def test_fractions_in_a_later_slice_are_kept(series):
    folder, files = series
    change(files[5], RescaleIntercept=-1024.5)
    assert (hounsfield(folder)[5] == VOXELS[5] - 0.5).all() and (hounsfield(folder)[0] == VOXELS[0]).all()


@pytest.mark.parametrize("lacking", [{"RescaleIntercept": None, "RescaleSlope": None}, {"RescaleIntercept": ""}])
@pytest.mark.parametrize("number", [0, 3])
def test_a_slice_that_lacks_the_intercept_of_the_others_is_named(series, lacking, number):
    folder, files = series
    change(files[number], **lacking)
    said = refusal(folder)
    assert files[number].name in said and "rescale intercept" in said and "-1024" in said


def test_without_slope_and_intercept_in_any_slice_it_is_no_ct(series):
    folder, files = series
    for path in files:
        change(path, RescaleIntercept=None, RescaleSlope=None)
    assert (hounsfield(folder) == VOXELS + 1024).all()
    assert [remark.kind for remark in scan_remarks(read_scan(folder)) if remark.severity == "error"] == [NOT_CT]


def test_so_is_one_whose_writer_put_zero_for_it(series):
    folder, files = series
    store(files[0], (VOXELS[0] + 1100).astype(np.uint16), RescaleIntercept=0)
    assert files[0].name in refusal(folder)


def test_signed_hounsfield_units_beside_an_intercept_are_none(series):
    folder, files = series
    store(files[0], VOXELS[0], RescaleIntercept=0)
    assert (hounsfield(folder) == VOXELS).all()


@pytest.mark.parametrize(
    ("values", "words"), [({"RescaleSlope": 0}, "slope of 0"), ({"RescaleSlope": None}, "rescale intercept or slope")]
)
def test_a_slope_that_cannot_be_is_refused(series, values, words):
    folder, files = series
    change(files[2], **values)
    assert files[2].name in refusal(folder) and words in refusal(folder)


def test_values_by_a_table_are_refused(series):
    folder, files = series
    for path in files:
        change(path, RescaleSlope=None, RescaleIntercept=None, ModalityLUTSequence=[pydicom.Dataset()])
    assert "Modality LUT" in refusal(folder)


def test_grey_shown_inverted_is_not_inverted_numbers(series):
    folder, files = series
    for path in files:
        change(path, PhotometricInterpretation="MONOCHROME1")
    assert (hounsfield(folder) == VOXELS).all()


def two_bytes(stored):
    """A number as headers hold it, whatever its sign."""
    return (stored & 0xFFFF).to_bytes(2, "little")


def padded(files, stored_type, padding):
    """The series with its first column padded, and the header saying so."""
    intercept = -1024 if stored_type is np.uint16 else 0
    for number, path in enumerate(files):
        stored = (VOXELS[number] - intercept).astype(stored_type)
        stored[:, 0] = padding
        store(path, stored, RescaleIntercept=intercept, PixelPaddingValue=two_bytes(padding))


def test_unsigned_padding_becomes_air_with_a_warning(series):
    folder, files = series
    padded(files, np.uint16, 63536)
    volume = read_scan(folder)
    voxels = sitk.GetArrayFromImage(volume.image)
    assert voxels.dtype == np.int16
    assert (voxels[..., 0] == -1024).all() and (voxels[..., 1:] == VOXELS[..., 1:]).all()
    [remark] = volume.remarks
    assert remark.kind == "padding" and remark.severity == "warning" and "25" in remark.found


def test_signed_padding_stays_as_it_is_stored(series):
    folder, files = series
    padded(files, np.int16, -2000)
    assert (hounsfield(folder)[..., 0] == -2000).all() and read_scan(folder).remarks == ()


def test_a_range_of_padding_becomes_air(series):
    folder, files = series
    padded(files, np.uint16, 65535)
    change(files[0], PixelPaddingRangeLimit=two_bytes(65000))
    store(files[0], np.array([[65100, 1000, 1000, 1000]] * 5, np.uint16))
    assert hounsfield(folder)[0].tolist() == [[-1024, -24, -24, -24]] * 5


@pytest.mark.parametrize("shift", [0, 4])
def test_values_in_the_upper_bits_are_refused_and_a_header_that_only_says_so_is_not(series, shift):
    folder, files = series
    stored = [((VOXELS[number] + 1024) & 0xFFF).astype(np.uint16) for number in range(6)]
    for path, stored_yx in zip(files, stored, strict=True):
        store(path, stored_yx << shift)
        change(path, BitsStored=12, HighBit=15)
    if shift:
        assert "above 4 unused bits" in refusal(folder)
    else:
        assert (hounsfield(folder) == np.array(stored, int) - 1024).all()
