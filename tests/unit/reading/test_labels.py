"""Label maps are whole numbers, also behind a scaling that does not quite give them back."""

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.errors import InputError
from noisy_student.reading.door import read_label_map

LABELS = np.random.default_rng(0).integers(0, 14, (6, 7, 8)).astype(np.uint8)
AFFINE = np.diag((-2.0, -2.0, 3.0, 1.0))


def write(path, array, dtype=None):
    header = nibabel.Nifti1Header()
    header.set_data_dtype(dtype or array.dtype)
    nibabel.save(nibabel.Nifti1Image(array, AFFINE, header), path)
    return path


def read(path):
    volume = read_label_map(path)
    return sitk.GetArrayFromImage(volume.image).T, volume


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32])
def test_reals_saved_under_a_header_of_whole_numbers_come_back_whole(tmp_path, dtype):
    array, volume = read(write(tmp_path / "a.nii.gz", LABELS.astype(np.float64), dtype))
    assert array.dtype.kind == "i" and np.array_equal(array, LABELS)
    for remark in volume.remarks:
        assert remark.severity == "warning" and "slope" in remark.found
    assert not volume.is_plain and (volume.remarks or dtype is np.int32)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_whole_numbers_of_any_type_are_taken_as_they_are(tmp_path, dtype):
    array, volume = read(write(tmp_path / "a.nii.gz", LABELS.astype(dtype)))
    assert np.array_equal(array, LABELS) and volume.remarks == () and volume.is_plain


def test_interpolated_labels_are_refused_and_so_is_a_scaling_that_is_too_coarse(tmp_path):
    with pytest.raises(InputError, match=r"labels 0\.5") as error:
        read_label_map(write(tmp_path / "half.nii.gz", LABELS / np.float32(2)))
    assert "nearest neighbour" in error.value.remedy
    path = write(tmp_path / "scaled.nii", LABELS)
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([0.9, 0.0], np.float32).tobytes()
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"slope 0\.9") as error:
        read_label_map(path)
    assert "without a scaling" in error.value.remedy and "nearest" not in error.value.remedy


def test_the_remedy_for_a_scaling_works(tmp_path):
    stored = nibabel.load(write(tmp_path / "a.nii.gz", LABELS.astype(np.float64), np.uint8))
    whole = np.rint(stored.get_fdata()).astype(np.uint8)
    array, volume = read(write(tmp_path / "b.nii.gz", whole))
    assert np.array_equal(array, LABELS) and volume.remarks == ()


def test_numbers_that_no_label_can_be_are_refused(tmp_path):
    with pytest.raises(InputError, match="whole numbers"):
        read_label_map(write(tmp_path / "a.nii.gz", np.full((2, 2, 2), 1e300)))


def test_an_empty_folder_is_no_label_map(tmp_path):
    with pytest.raises(InputError, match="none of these"):
        read_label_map(tmp_path)
