"""Headers that name the files of their voxels, as ITK writes them and as their formats allow besides."""

import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.reading.by_content import data_files


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
        ("a.mhd", "DimSize = 5 4 2\nElementDataFile = LIST\none.raw\ntwo 2.raw\n", ["one.raw", "two 2.raw"]),
        ("a.mhd", "DimSize = 5 4 3\nElementDataFile = s%03d.raw 1 5 2\n", ["s001.raw", "s003.raw", "s005.raw"]),
        ("a.mhd", "DimSize = 5 4 2\nElementDataFile = s%03d.raw\n", ["s001.raw", "s002.raw"]),
        ("a.mhd", "DimSize = 5 4 2\nElementDataFile = my scan.raw\r\n", ["my scan.raw"]),
        ("a.mhd", "DimSize = 5 4 2\nElementDataFile = z.raw\n", ["z.raw.gz"]),
        ("a.mhd", "DimSize = 5 4 2\n", []),
        ("a.nhdr", "NRRD0004\n# data file: no\ndatafile: b.raw\n", ["b.raw"]),
        ("a.nhdr", "NRRD0004\ndata file: LIST\nc.raw\nb.raw\n", ["c.raw", "b.raw"]),
        ("a.nhdr", "NRRD0004\ndata file: %d.raw 3 1 -1\n", ["3.raw", "2.raw", "1.raw"]),
        ("a.nhdr", "NRRD0004\ndata file: %d%d.raw 1 2 1\n", []),
        ("a.nhdr", "NRRD0004\ndata file: %d.raw x y z\n", []),
        ("a.nrrd", "NRRD0004\nencoding: raw\n\ndata file: voxels", []),
    ],
)  # fmt: skip
def test_lists_and_patterns_of_files_are_followed_as_they_are_read(tmp_path, name, text, files):
    (tmp_path / "z.raw.gz").touch()
    (tmp_path / name).write_bytes(("NDims = 3\n" * name.endswith("mhd") + text).encode())
    assert data_files(tmp_path / name) == [tmp_path / file for file in files]


def test_a_pattern_without_end_and_a_header_that_is_not_there_are_no_trouble(tmp_path):
    (tmp_path / "a.mhd").write_text("NDims = 3\nDimSize = 5 4 999999999\nElementDataFile = %d.raw 1 999999999\n")
    (tmp_path / "a.nhdr").write_text("NRRD0004\ndata file: %d.raw 1 999999999 1\n")
    assert len(data_files(tmp_path / "a.mhd")) == len(data_files(tmp_path / "a.nhdr")) == 10_000
    assert data_files(tmp_path / "b.mhd") == []
