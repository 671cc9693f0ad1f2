"""Headers that name the files of their voxels, as ITK writes them and as their formats allow besides."""

import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.reading.detached import data_files


@pytest.mark.parametrize(
    ("name", "compressed", "files"),
    [
        ("a.mhd", False, ["a.raw"]),
        ("a.mhd", True, ["a.zraw"]),
        ("a.nhdr", False, ["a.raw"]),
        ("a.nhdr", True, ["a.raw.gz"]),
        ("a.MHD", False, ["a.raw"]),
        ("a.mha", True, []),
        ("a.nrrd", True, []),
        ("a.nii.gz", True, []),
    ],
)
def test_what_itk_writes_beside_a_header_is_found(tmp_path, name, compressed, files):
    lower = tmp_path / name.lower()
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((3, 4, 5), np.int16)), str(lower), useCompression=compressed)
    lower.rename(tmp_path / name)
    assert data_files(tmp_path / name) == [tmp_path / file for file in files]
    assert all(path.is_file() for path in data_files(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "text", "files"),
    [
        ("a.mhd", "NDims = 3\nElementDataFile = LIST\none.raw\ntwo 2.raw\n", ["one.raw", "two 2.raw"]),
        ("a.mhd", "ElementDataFile = s%03d.raw 1 5 2\n", ["s001.raw", "s003.raw", "s005.raw"]),
        ("a.mhd", "ElementDataFile = my scan.raw\r\n", ["my scan.raw"]),
        ("a.nhdr", "NRRD0004\n# data file: no\ndatafile: b.raw\n", ["b.raw"]),
        ("a.nhdr", "NRRD0004\nData File: LIST\nb.raw\nc.raw\n", ["b.raw", "c.raw"]),
        ("a.nhdr", "NRRD0004\ndata file: %d.raw 9 8\n", []),
        ("a.nhdr", "NRRD0004\ndata file: %d%d.raw 1 2\n", []),
        ("a.nhdr", "NRRD0004\ndata file: %d.raw x y\n", []),
        ("a.nrrd", "NRRD0004\nencoding: raw\n\ndata file: voxels", []),
    ],
)  # fmt: skip
def test_lists_and_patterns_of_files_are_followed(tmp_path, name, text, files):
    (tmp_path / name).write_bytes(text.encode())
    assert data_files(tmp_path / name) == [tmp_path / file for file in files]


def test_a_pattern_without_end_and_a_header_that_is_not_there_are_no_trouble(tmp_path):
    (tmp_path / "a.mhd").write_text("ElementDataFile = %d.raw 1 999999999\n")
    assert len(data_files(tmp_path / "a.mhd")) == 10_000
    assert data_files(tmp_path / "b.mhd") == []
