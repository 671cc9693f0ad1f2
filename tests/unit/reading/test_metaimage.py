import gzip
import zlib

import numpy as np
import pytest
import SimpleITK as sitk

from header_files import RAW, TURNED, VOXELS, write_metaimage
from noisy_student.errors import InputError
from noisy_student.reading.door import checksum, read_scan


def stored(path):
    """The voxels (z, y, x) in the order in which the file has them."""
    volume = read_scan(path)
    return sitk.GetArrayFromImage(sitk.DICOMOrient(volume.image, volume.letters))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (TURNED, ""),
        ("Rotation = -1 0 0 0 -1 0 0 0 1", ""),
        ("Orientation = -1 0 0 0 -1 0 0 0 1", ""),
        ("AnatomicalOrientation = RAI", ""),
        ("ElementSpacing = 2 2 3", "no TransformMatrix"),
        ("AnatomicalOrientation = LPI", "only AnatomicalOrientation = LPI"),
    ],
)
def test_a_header_that_does_not_say_where_axes_point_is_said(tmp_path, fields, said):
    volume = read_scan(write_metaimage(tmp_path / "a.mha", fields=fields))
    assert volume.letters == ("RAS" if "-1" in fields else "LPS")
    assert [remark.kind for remark in volume.remarks] == (["orientation"] if said else [])
    assert all(said in remark.found for remark in volume.remarks)


@pytest.mark.parametrize(
    ("voxels", "fields"),
    [
        (RAW, ""),
        (zlib.compress(RAW), "CompressedData = True"),
        (zlib.compress(RAW), "CompressedData = True\nCompressedDataSize = 7"),
        (gzip.compress(RAW), "CompressedData = True"),
        (VOXELS.astype(">i2").tobytes(), "ElementByteOrderMSB = True"),
        (VOXELS.astype(">i2").tobytes(), "BinaryDataByteOrderMSB = true"),
        ("\n".join(map(str, VOXELS.ravel())).encode() + b"\n", "BinaryData = False"),
        (RAW, "ElementToIntensityFunctionSlope = 1.0\nElementToIntensityFunctionOffset = 0"),
    ],
)
def test_voxels_are_read_as_the_header_says(tmp_path, voxels, fields):
    assert np.array_equal(stored(write_metaimage(tmp_path / "a.mha", voxels, f"{TURNED}\n{fields}")), VOXELS)


@pytest.mark.parametrize("start", ["HeaderSize = 8", "HeaderSize = -1", ""])
def test_what_stands_before_the_voxels_is_skipped_or_found(tmp_path, start):
    """SimpleITK reads the rows shifted by it where the header says nothing."""
    (tmp_path / "v.raw").write_bytes(b"12345678" + RAW)
    path = write_metaimage(tmp_path / "a.mhd", b"", f"{TURNED}\n{start}", "v.raw")
    if start:
        assert np.array_equal(stored(path), VOXELS)
    else:
        with pytest.raises(InputError, match=r"8 bytes more of v\.raw") as error:
            read_scan(path)
        assert "HeaderSize" in error.value.remedy


@pytest.mark.parametrize("file", ["slice%d.raw 1 3 1", "slice%d.raw", "LIST", "LIST 2"])
@pytest.mark.parametrize("is_packed", [True, False])
def test_voxels_in_files_of_their_own(tmp_path, file, is_packed):
    for number, slice_yx in enumerate(VOXELS, 1):
        raw = slice_yx.astype("<i2").tobytes()
        (tmp_path / f"slice{number}.raw").write_bytes(zlib.compress(raw) if is_packed else raw)
    # Without a line's end behind the last name, for which SimpleITK leaves out the slice.
    listed = b"slice1.raw\nslice2.raw\nslice3.raw" if "LIST" in file else b""
    path = write_metaimage(tmp_path / "a.mhd", listed, f"{TURNED}\nCompressedData = {is_packed}", file)
    assert np.array_equal(stored(path), VOXELS)
    before = checksum(path)
    (tmp_path / "slice2.raw").write_bytes(b"")
    assert checksum(path) != before
    with pytest.raises(InputError, match=r"slice2\.raw|missing"):
        read_scan(path)


def test_a_list_that_is_too_short_is_found(tmp_path):
    """SimpleITK fills the slices that are missing with what was in memory."""
    for number in (1, 2):
        (tmp_path / f"slice{number}.raw").write_bytes(RAW[:40])
    with pytest.raises(InputError, match="bytes are missing"):
        read_scan(write_metaimage(tmp_path / "a.mhd", b"slice1.raw\nslice2.raw\n", file="LIST"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (f"{TURNED}\nElementToIntensityFunctionOffset = -1024", "Offset = -1024"),
        (f"{TURNED}\nElementToIntensityFunctionSlope = x", "Slope = x"),
        (f"{TURNED}\nHeaderSize = 1.5", "'1.5' in its header is no whole number"),
        (f"{TURNED}\nHeaderSize = x", "a header that SimpleITK cannot read"),
    ],
)
def test_what_programs_read_differently_is_refused(tmp_path, fields, said):
    with pytest.raises(InputError, match=said):
        read_scan(write_metaimage(tmp_path / "a.mha", fields=fields))


def test_a_header_without_an_end_is_refused(tmp_path):
    (tmp_path / "a.mha").write_text("ObjectType = Image\nNDims = 3\nDimSize = 5 4 3\n")
    with pytest.raises(InputError, match="without ElementDataFile"):
        read_scan(tmp_path / "a.mha")


def test_a_fourth_axis_of_one_is_none(tmp_path):
    matrix = "TransformMatrix = 1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"
    assert read_scan(write_metaimage(tmp_path / "a.mha", fields=matrix, size="5 4 3 1")).image.GetSize() == (5, 4, 3)
