"""Damage that the usual readers pass over is found in every variant of the format."""

import gzip
import itertools

import nibabel
import numpy as np
import pytest

from noisy_student.errors import InputError
from noisy_student.images import read_image
from noisy_student.reading import nifti

SHAPE = (9, 8, 7)


def refusal(path):
    """Why a file is refused, by both ways to read it; None if it is not."""
    said = []
    for read in (nifti.read, nifti.require_whole_nifti):
        try:
            said.append(read(path) and None)
        except InputError as error:
            said.append(error.got)
    assert said[0] == said[1]
    return said[0]


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
    assert refusal(path) is None
    content = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    for cut in (1, 100):
        shorter = content[:-cut]
        path.write_bytes(gzip.compress(shorter) if name.endswith(".gz") else shorter)
        assert refusal(path) == f"unreadable: {cut} bytes are missing at the end"
    path.write_bytes(b"")
    assert refusal(path) == "unreadable: no NIfTI header"


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_file_longer_than_its_header_says_by_a_slice_is_refused_and_padding_is_not(write, name):
    path = write(np.ones(SHAPE, np.int16), name=name)
    content = bytearray(gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes())
    slice_bytes = SHAPE[0] * SHAPE[1] * 2
    for slices, padding, said in ((7, 16, None), (7, slice_bytes - 1, None), (6, 0, f"{slice_bytes} bytes more"),
                                  (3, 16, f"{4 * slice_bytes + 16} bytes more")):  # fmt: skip
        content[46:48] = slices.to_bytes(2, "little")  # dim[3]
        longer = bytes(content) + bytes(padding)
        path.write_bytes(gzip.compress(longer) if name.endswith(".gz") else longer)
        assert refusal(path) == said


def test_a_file_that_was_compressed_twice_is_called_so_and_read_once_it_is_unpacked(write):
    path = write(np.zeros(SHAPE, np.int16))
    once = path.read_bytes()
    path.write_bytes(gzip.compress(once))
    with pytest.raises(InputError, match=r"compressed twice[^`]*gunzip"):
        nifti.read(path)
    path.write_bytes(once)
    assert refusal(path) is None


def write_header(path, kind=nibabel.Nifti1Image, qform=1, sform=1, **fields):
    """A file of 2 × 2 × 3 mm with both orientations, some header fields replaced."""
    image = kind(np.zeros(SHAPE, np.int16), np.diag((-2.0, -2.0, 3.0, 1.0)))
    image.set_qform(image.affine, qform)
    image.set_sform(image.affine, sform)
    nibabel.save(image, path)
    header, content = image.header.structarr.copy(), bytearray(path.read_bytes())
    for name, value in fields.items():
        header[name] = value
    for name in fields:
        at = header.dtype.fields[name][1]
        content[at : at + header[name].nbytes] = header[name].tobytes()
    path.write_bytes(content)
    return path


SHEARED, TURNED = [-2, 0.2, 0, 0], [2, 0, 0, 0]


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, None),
        ({"sform": 0, "qform": 0}, None),
        ({"scl_slope": np.nan, "scl_inter": np.nan}, None),
        ({"scl_slope": np.inf, "scl_inter": 0}, "slope inf"),
        ({"scl_slope": 1, "scl_inter": np.nan}, "intercept nan"),
        ({"pixdim": [1, 0, 2, 3, 1, 1, 1, 1]}, "0 × 2 × 3 mm"),
        ({"pixdim": [1, 2, np.nan, 3, 1, 1, 1, 1]}, "2 × nan × 3 mm"),
        ({"pixdim": [1, 2, 2, 5, 1, 1, 1, 1]}, "2 × 2 × 5 mm (pixdim) and 2 × 2 × 3 mm (sform)"),
        ({"pixdim": [1, 2, 2, 5, 1, 1, 1, 1], "sform": 0}, None),
        ({"srow_x": [np.nan, 0, 0, 0]}, "(sform) that is no number"),
        ({"quatern_b": np.nan}, "(qform) that is no number"),
        ({"quatern_b": np.nan, "qform": 0}, None),
        ({"srow_x": SHEARED}, "not perpendicular (sform)"),
        ({"srow_x": TURNED}, "turned by 180°"),
        ({"srow_x": TURNED, "qform": 0}, None),
    ],
)
def test_headers_that_readers_guess_about_are_found(tmp_path, kind, fields, said):
    found = refusal(write_header(tmp_path / "a.nii", kind, **fields))
    assert found is None if said is None else said in found


@pytest.mark.parametrize("turn", range(24))
def test_the_same_orientation_written_twice_is_one(tmp_path, turn):
    """All turns of the grid by right angles, and a tilted one, flipped or not."""
    order, signs = list(itertools.permutations(range(3)))[turn % 6], [(1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1)]
    tilt = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = tilt[list(order)] @ np.diag(np.array(signs[turn // 6]) * (2, 2, 3))
    image = nibabel.Nifti1Image(np.zeros(SHAPE, np.int16), affine)
    image.set_qform(affine, 1)
    image.set_sform(affine, 1)
    nibabel.save(image, tmp_path / "a.nii")
    assert refusal(tmp_path / "a.nii") is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_voxel_that_is_no_number_is_found(write, value, dtype):
    array = np.zeros((120, 120, 40), dtype)
    array[-1, -1, -1] = value
    path = write(array)
    assert "no numbers" in refusal(path)
    with pytest.raises(InputError, match="no numbers"):
        read_image(path)


def test_a_flipped_byte_in_the_compressed_file_is_found(write):
    path = write(np.random.default_rng(0).integers(0, 99, SHAPE).astype(np.int16))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert "damaged" in refusal(path)


def test_the_header_of_a_pair_of_files_is_called_that_and_the_remedy_works(tmp_path):
    image = nibabel.Nifti1Pair(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.diag((-2.0, -2.0, 3.0, 1.0)))
    nibabel.save(image, tmp_path / "a.hdr")
    said = refusal(tmp_path / "a.hdr")
    assert ".hdr and .img" in said
    nibabel.save(nibabel.load(tmp_path / "a.hdr"), tmp_path / "a.nii.gz")
    assert refusal(tmp_path / "a.nii.gz") is None
