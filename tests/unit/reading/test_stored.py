"""Damaged, short and long files are refused in every packed and plain format, whatever SimpleITK makes of them."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from noisy_student.damage import OF_THE_USER
from noisy_student.errors import InputError
from noisy_student.reading.door import read_label_map, read_scan

# Name, and what holds the packed voxels.
PACKED = {"a.mha": "a.mha", "a.nrrd": "a.nrrd", "a.nii.gz": "a.nii.gz", "a.mhd": "a.zraw", "a.nhdr": "a.raw.gz"}
GZIP_HEADER_BYTES = 10


@pytest.fixture
def packed(tmp_path):
    """Write a compressed image under a name; the image's file, the voxels' file and the byte where these begin."""

    def write(name):
        image = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 50, (6, 20, 24)).astype(np.int16))
        sitk.WriteImage(image, str(tmp_path / name), useCompression=True)
        data = tmp_path / PACKED[name]
        content = data.read_bytes()
        end_of_header = {"a.mha": b"LOCAL\n", "a.nrrd": b"\n\n"}.get(name, b"")
        start = content.index(end_of_header) + len(end_of_header)
        return tmp_path / name, data, start if "mh" in name else start + GZIP_HEADER_BYTES

    return write


@pytest.mark.parametrize("name", PACKED)
def test_a_hundred_of_a_hundred_damaged_bytes_are_found(packed, name):
    path, data, start = packed(name)
    whole = data.read_bytes()
    random = np.random.default_rng(1)
    refused = 0
    for place in random.integers(start, len(whole), 100):
        damaged = bytearray(whole)
        damaged[place] ^= int(random.integers(1, 256))
        data.write_bytes(damaged)
        with pytest.raises(InputError) as error:
            read_scan(path)
        refused += str(path) in error.value.wanted
        # A NIfTI header lies within the packed stream, and may be refused for what it says before the stream ends.
        assert error.value.remedy == OF_THE_USER or name == "a.nii.gz"
    assert refused == 100


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("cut", [1, 4, 500, -1, -100])
def test_cut_files_and_bytes_that_were_added_are_found(packed, name, cut):
    path, data, _ = packed(name)
    whole = data.read_bytes()
    data.write_bytes(whole[:-cut] if cut > 0 else whole + b"x" * -cut)
    for read in (read_scan, read_label_map):
        with pytest.raises(InputError, match=r"damaged|missing"):
            read(path)


@pytest.mark.parametrize("name", ["a.mha", "a.nrrd", "a.mhd", "a.nhdr"])
@pytest.mark.parametrize("cut", [1, 20, -1, -100])
def test_plain_files_have_as_many_bytes_as_their_header_says(tmp_path, name, cut):
    sitk.WriteImage(sitk.Image((9, 8, 7), sitk.sitkInt16), str(tmp_path / name))
    data = {"a.mhd": tmp_path / "a.raw", "a.nhdr": tmp_path / "a.raw"}.get(name, tmp_path / name)
    data.write_bytes(data.read_bytes()[:-cut] if cut > 0 else data.read_bytes() + b"x" * -cut)
    with pytest.raises(InputError) as error:
        read_scan(tmp_path / name)
    assert (f"{cut} bytes are missing" if cut > 0 else f"{-cut} bytes more") in error.value.got


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(
    st.sampled_from((".mha", ".nrrd", ".mhd", ".nhdr")),
    st.sampled_from((np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.int64, np.float32, np.float64)),
    st.booleans(),
    st.tuples(*[st.integers(1, 7)] * 3),
    st.permutations(range(3)),
)
def test_whole_files_are_read_as_simpleitk_reads_them(extension, dtype, is_packed, shape, order):
    array = np.random.default_rng(len(extension)).integers(0, 100, shape).astype(dtype)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((1.5, 2, 3))
    image.SetOrigin((-100, 20, 3))
    image.SetDirection((np.eye(3)[list(order)] * [-1, 1, -1]).ravel().tolist())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{extension}"
        sitk.WriteImage(image, str(path), useCompression=is_packed)
        volume = read_scan(path)
    back = sitk.DICOMOrient(volume.image, volume.letters)
    assert volume.remarks == ()
    assert sitk.GetArrayFromImage(back).dtype == dtype and np.array_equal(sitk.GetArrayFromImage(back), array)
    assert np.allclose(back.GetOrigin(), image.GetOrigin()) and np.allclose(back.GetDirection(), image.GetDirection())


def test_a_header_without_its_voxels_names_the_file_that_is_missing(tmp_path):
    for name, data in (("a.mhd", "a.raw"), ("a.nhdr", "a.raw")):
        sitk.WriteImage(sitk.Image((9, 8, 7), sitk.sitkInt16), str(tmp_path / name))
        (tmp_path / data).unlink()
        with pytest.raises(InputError, match=r"no such file: a\.raw"):
            read_scan(tmp_path / name)


def test_a_size_that_no_file_could_hold_takes_no_memory(tmp_path):
    path = tmp_path / "a.nrrd"
    sitk.WriteImage(sitk.Image((9, 8, 7), sitk.sitkInt16), str(path), useCompression=True)
    path.write_bytes(path.read_bytes().replace(b"sizes: 9 8 7", b"sizes: 90000 80000 7000"))
    with pytest.raises(InputError, match="bytes are missing"):
        read_scan(path)
