"""Damage that the usual readers pass over is found in every variant of the format."""

import gzip

import nibabel
import numpy as np
import pytest

from noisy_student.errors import InputError
from noisy_student.images import read_image
from noisy_student.nifti import defect

SHAPE = (9, 8, 7)


@pytest.fixture
def write(tmp_path):
    """Write a NIfTI file of a kind and type."""

    def write(array, kind=nibabel.Nifti1Image, name="a.nii.gz", big_endian=False):
        header = kind.header_class(endianness=">" if big_endian else "<")
        header.set_data_dtype(array.dtype)
        nibabel.save(kind(array, np.eye(4), header), tmp_path / name)
        return tmp_path / name

    return write


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("big_endian", [False, True])
def test_whole_files_pass_and_cut_ones_do_not(write, name, kind, dtype, big_endian):
    path = write(np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(dtype), kind, name, big_endian)
    assert defect(path) is None
    content = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    for cut in (1, 100):
        shorter = content[:-cut]
        path.write_bytes(gzip.compress(shorter) if name.endswith(".gz") else shorter)
        assert defect(path) == f"{cut} bytes are missing at the end"
    path.write_bytes(b"")
    assert defect(path) == "no NIfTI header"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_voxel_that_is_no_number_is_found(write, value, dtype):
    array = np.zeros((120, 120, 40), dtype)
    array[-1, -1, -1] = value
    path = write(array)
    assert "no numbers" in defect(path)
    with pytest.raises(InputError, match="no numbers"):
        read_image(path)


def test_a_flipped_byte_in_the_compressed_file_is_found(write):
    path = write(np.random.default_rng(0).integers(0, 99, SHAPE).astype(np.int16))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert "damaged" in defect(path)
