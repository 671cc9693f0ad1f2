"""What a file of an archive says of itself, in whichever form it was written."""

import numpy as np
import pytest

from dicom_archive import CORONAL, header, write, write_images
from dicom_series import without_mark
from enhanced_dicom import write_enhanced
from noisy_student.reading.dicom.identity import DAMAGED, NO_DICOM, identify


def test_a_slice_says_of_whom_it_is_and_where_it_lies(tmp_path):
    file = write_images(tmp_path, "1.1", 3, 2.5)[2]
    found = identify(file)
    assert found.header[:4] == ("ID4711", "1.2.3", "1.1", "CT") and found.header.thickness_mm == 2.5
    assert (found.instance, found.heights_mm, found.header.plane) == ("1.1.2", (5.0,), "axial")
    without_mark(file)
    assert identify(file) == found
    (coronal,) = write_images(tmp_path / "coronal", "1.1", 1, ImageOrientationPatient=CORONAL)
    assert identify(coronal).header.plane == "coronal"


def test_each_frame_of_an_enhanced_file_has_its_place(tmp_path):
    voxels = np.zeros((5, 8, 8), np.int16)
    places = [(0, 0, height) for height in (0, 6, 3, 9, 12)]
    found = identify(write_enhanced(tmp_path / "ct.dcm", voxels, places))
    assert found.heights_mm == (0, 6, 3, 9, 12) and found.header.plane == "axial"


@pytest.mark.parametrize(
    ("type", "kinds"),
    [
        (["ORIGINAL", "PRIMARY", "AXIAL"], (False, False)),
        (["ORIGINAL", "PRIMARY", "LOCALIZER"], (True, False)),
        (["DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"], (False, True)),
        (["DERIVED", "PRIMARY", "AXIAL", "CT_SOM5 MIP"], (False, True)),
        (["DERIVED", "PRIMARY", "AXIAL"], (False, False)),
        (["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], (False, False)),
        ("", (False, False)),
    ],
)
def test_localizers_and_derived_images_are_known_by_their_type(tmp_path, type, kinds):
    found = identify(write(header("1", "1.1", ImageType=type), tmp_path / "x")).header
    assert (found.is_localizer, found.is_derived) == kinds


def test_words_in_a_description_are_those_of_its_character_set(tmp_path):
    data = header("1", "1.1", SpecificCharacterSet="ISO_IR 100", SeriesDescription="Schädel")
    assert identify(write(data, tmp_path / "x")).header.description == "Schädel"


def test_a_name_in_broken_bytes_makes_no_file_a_damaged_one(tmp_path):
    file = write(
        header("1", "1.1", SpecificCharacterSet="ISO_IR 192", PatientName="ABCD", PatientID="7"), tmp_path / "x"
    )
    file.write_bytes(file.read_bytes().replace(b"ABCD", b"A\xfc\xffD"))
    assert identify(file).header.patient == "7" and identify(file).header.name.startswith("A")


def test_what_is_no_image_of_a_series_is_named_for_what_it_is(tmp_path):
    (tmp_path / "a.txt").write_text("a note")
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    (tmp_path / "b.dcm").write_bytes(b"garbage")
    assert [identify(tmp_path / name) for name in ("a.txt", "DICOMDIR", "b.dcm")] == [NO_DICOM, NO_DICOM, DAMAGED]
    with pytest.raises(OSError):
        identify(tmp_path / "none")
