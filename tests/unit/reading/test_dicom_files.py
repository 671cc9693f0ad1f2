"""Which files are DICOM is told by content, in any encoding, with the mark or without."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_series import without_mark, write_series
from noisy_student.reading.dicom.files import dicom_files, is_data_set, is_dicom


def data_set(is_implicit, is_little):
    """The bytes of a data set without file meta information, in an encoding."""
    data = Dataset()
    data.SpecificCharacterSet, data.ImageType = "ISO_IR 100", ["ORIGINAL", "PRIMARY"]
    data.SOPClassUID, data.PatientName, data.Rows = "1.2.840.10008.5.1.4.1.1.2", "DOE^JOHN", 512
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = is_implicit, is_little
    write_dataset(stream, data)
    return stream.getvalue()


@pytest.mark.parametrize(("is_implicit", "is_little"), [(True, True), (False, True), (False, False)])
def test_a_data_set_without_anything_before_it_is_dicom_in_any_encoding(tmp_path, is_implicit, is_little):
    (tmp_path / "IM1").write_bytes(data_set(is_implicit, is_little))
    assert is_dicom(tmp_path / "IM1")


def test_slices_without_preamble_and_mark_are_dicom(tmp_path):
    files = write_series(tmp_path, np.zeros((2, 4, 4), np.int16))
    for path in files:
        without_mark(path)
        path.rename(path.with_suffix(""))
    assert dicom_files(tmp_path) == sorted(path.with_suffix("") for path in files)


@pytest.mark.parametrize(
    "start",
    [
        b"\x5c\x01\x00\x00" + bytes(400), b"\x1f\x8b\x08\x00" + bytes(400), b"NRRD0005\ntype: short\n" + bytes(400),
        b"\x08\x00" * 300, b"\x02\x00\x00\x00UL\x04\x00", bytes(500), b"", b"8 slices of liver, 2 of spleen\n" * 20,
        b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100no second element" + bytes(100),
    ],
)  # fmt: skip
def test_other_files_are_not(tmp_path, start):
    (tmp_path / "other").write_bytes(start)
    assert not is_dicom(tmp_path / "other")


@given(st.binary(max_size=64))
def test_any_bytes_are_judged_without_an_error(start):
    assert is_data_set(start) in (True, False)
    assert not is_data_set(b"x" + start)


@pytest.mark.parametrize("name", ["DICOMDIR", "dicomdir", "DicomDir", "DICOMDIR;1"])
def test_an_index_is_passed_over_however_it_is_written(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(128) + b"DICM" + bytes(64))
    assert not is_dicom(tmp_path / name) and dicom_files(tmp_path) == []


def test_a_damaged_file_that_is_named_as_the_slices_is_one_of_them(tmp_path):
    for path in write_series(tmp_path, np.zeros((3, 4, 4), np.int16)):
        path.rename(path.with_suffix(""))
    (tmp_path / "IM12_3").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("not of the series")
    assert tmp_path / "IM12_3" in dicom_files(tmp_path) and len(dicom_files(tmp_path)) == 4


def test_subfolders_are_read_through_links_each_once_and_hidden_ones_are_not(tmp_path):
    files = write_series(tmp_path / "archive/series", np.zeros((2, 4, 4), np.int16))
    write_series(tmp_path / "case/.snapshot", np.zeros((2, 4, 4), np.int16))
    for name in ("one", "two"):
        (tmp_path / "case" / name).symlink_to(tmp_path / "archive/series")
    (tmp_path / "archive/series/loop").symlink_to(tmp_path / "case")
    assert dicom_files(tmp_path / "case") == sorted(tmp_path / "case/one" / path.name for path in files)


def test_slices_behind_a_link_are_found_each_folder_once(tmp_path):
    write_series(tmp_path / "elsewhere", np.zeros((3, 4, 4), np.int16))
    case = tmp_path / "case"
    write_series(case / "first", np.zeros((2, 4, 4), np.int16))
    (case / "second").symlink_to(tmp_path / "elsewhere")
    (case / "second/up").symlink_to(tmp_path)
    (case / "first/again").symlink_to(case / "first")
    assert len(dicom_files(case)) == 5


def test_hidden_folders_are_passed_over(tmp_path):
    write_series(tmp_path / "series", np.zeros((2, 4, 4), np.int16))
    write_series(tmp_path / "series/.snapshot/daily", np.zeros((2, 4, 4), np.int16))
    assert len(dicom_files(tmp_path)) == 2
