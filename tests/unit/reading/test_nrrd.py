import gzip

import numpy as np
import pytest
import SimpleITK as sitk

from header_files import PLACED, RAW, VOXELS, write_nrrd
from noisy_student.errors import InputError
from noisy_student.geometry import Geometry
from noisy_student.reading import nrrd
from noisy_student.reading.door import checksum, read_scan


def stored(path):
    """The voxels (z, y, x) in the order in which the file has them."""
    volume = read_scan(path)
    return sitk.GetArrayFromImage(sitk.DICOMOrient(volume.image, volume.letters))


@pytest.mark.parametrize(
    ("space", "letters", "first_mm"),
    [
        ("left-posterior-superior", "LPS", (10, 20, 30)),
        ("LPS", "LPS", (10, 20, 30)),
        ("right-anterior-superior", "RAS", (-10, -20, 30)),
        ("ras", "RAS", (-10, -20, 30)),
        ("Left-Anterior-Superior", "LAS", (10, -20, 30)),
        ("LAS", "LAS", (10, -20, 30)),
    ],
)
def test_spaces_of_the_patient_are_placed_without_a_word_with_time_or_without(tmp_path, space, letters, first_mm):
    """`first_mm`: where the first voxel lies, x to the left, y to the back."""
    plain = write_nrrd(tmp_path / "a.nrrd", fields=f"space: {space}\n{PLACED}")
    time = "space directions: (2,0,0,0) (0,2,0,0) (0,0,3,0) (0,0,0,1)\nspace origin: (10,20,30,0)"
    space += "T" if len(space) == 3 else "-time"
    with_time = write_nrrd(tmp_path / "b.nrrd", fields=f"space: {space}\n{time}", sizes="5 4 3 1")
    for path in (plain, with_time):
        volume = read_scan(path)
        assert volume.letters == letters and volume.remarks == ()
        back = sitk.DICOMOrient(volume.image, letters)
        assert np.allclose(back.GetOrigin(), first_mm) and back.GetSpacing() == (2, 2, 3)
        assert np.array_equal(sitk.GetArrayFromImage(back), VOXELS)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("spacings: 2 2 3", "no `space`"),
        (f"space dimension: 3\n{PLACED}", "no `space`"),
        (f"space: scanner-xyz\n{PLACED}", "scanner-xyz"),
        (f"space: 3D-left-handed\n{PLACED}", "3D-left-handed"),
        ("space: left-posterior-superior", "no `space directions`"),
    ],
)
def test_a_header_that_does_not_say_where_axes_point_is_said(tmp_path, fields, said):
    volume = read_scan(write_nrrd(tmp_path / "a.nrrd", fields=fields))
    assert [remark.kind for remark in volume.remarks] == ["orientation"]
    assert said in volume.remarks[0].found and volume.remarks[0].severity == "warning"


TEXT = " ".join(map(str, VOXELS.ravel())).encode()


@pytest.mark.parametrize(
    ("voxels", "encoding", "last"),
    [
        (RAW, "raw", ""),
        (gzip.compress(RAW), "gzip", ""),
        (gzip.compress(RAW[:50]) + gzip.compress(RAW[50:]) + bytes(100), "GZ", ""),
        (TEXT, "ascii", ""),
        (RAW.hex().encode(), "hex", ""),
        (b"1234567" + RAW, "raw", "byte skip: 7\n"),
        (b"1234567" + RAW, "raw", "byte skip: -1\n"),
        (b"1234567" + RAW + b"89", "raw", "byte skip: -3\n"),
        (b"one\ntwo\n" + RAW, "raw", "line skip: 2\n"),
        (b"one\n" + gzip.compress(b"1234567" + RAW), "gzip", "line skip: 1\nbyte skip: 7\n"),
        (gzip.compress(b"1234567" + RAW), "gzip", "byteskip: -1\n"),
    ],
)
def test_encodings_and_what_stands_before_the_voxels(tmp_path, voxels, encoding, last):
    assert np.array_equal(stored(write_nrrd(tmp_path / "a.nrrd", voxels, encoding=encoding, last=last)), VOXELS)


@pytest.mark.parametrize("name", ["data file: slice%d.raw 1 3 1", "datafile: slice%d.raw 3 1 -1", "data file: LIST 2"])
def test_voxels_in_files_of_their_own(tmp_path, name):
    order = (3, 2, 1) if "-1" in name else (1, 2, 3)
    for number, slice_yx in zip(order, VOXELS, strict=True):
        (tmp_path / f"slice{number}.raw").write_bytes(slice_yx.astype("<i2").tobytes())
    listed = "".join(f"slice{number}.raw\n" for number in order) if "LIST" in name else ""
    path = write_nrrd(tmp_path / "a.nhdr", b"", last=f"{name}\n{listed}")
    path.write_bytes(path.read_bytes().rstrip(b"\n") + b"\n")
    assert np.array_equal(stored(path), VOXELS)
    before = checksum(path)
    (tmp_path / "slice2.raw").write_bytes(RAW[:40])
    assert checksum(path) != before
    (tmp_path / "slice1.raw").write_bytes(RAW[:41])
    (tmp_path / "slice2.raw").write_bytes(RAW[:39])
    with pytest.raises(InputError, match=r"slice[12]\.raw"):
        read_scan(path)


def test_big_endian_voxels(tmp_path):
    path = write_nrrd(tmp_path / "a.nrrd", VOXELS.astype(">i2").tobytes())
    path.write_bytes(path.read_bytes().replace(b"endian: little", b"endian: big"))
    assert np.array_equal(stored(path), VOXELS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"encoding": "bzip2"}, "the encoding 'bzip2'"),
        ({"last": "byte skip: many\n"}, "many"),
        ({"last": "data file: LIST\n"}, "no names"),
        ({"last": "data file: x%q.raw 1 3 1\n"}, r"x%q\.raw"),
        ({"fields": "space: nowhere"}, "nowhere"),
        ({"encoding": "ascii", "voxels": TEXT[:-20]}, "no number for every voxel"),
        ({"sizes": "5 4 3 2", "fields": "spacings: 2 2 3 1"}, r"size \(5, 4, 3, 2\)"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_is_not_about_damage_alone(tmp_path, change, said):
    path = write_nrrd(tmp_path / "a.nrrd", **change)
    with pytest.raises(InputError, match=said) as error:
        nrrd.read(path)
    assert any(word in error.value.remedy for word in ("export", "save it", "correct"))


def test_one_layer_of_values_is_a_volume(tmp_path):
    fields = "space: LPS\nspace directions: none (2,0,0) (0,2,0) (0,0,3)\nspace origin: (10,20,30)\n"
    fields += "kinds: list domain domain domain"
    volume = read_scan(write_nrrd(tmp_path / "a.nrrd", fields=fields, sizes="1 5 4 3"))
    assert Geometry.of(volume.image).size_xyz == (5, 4, 3)


@pytest.mark.parametrize(("unit", "times"), [("mm", 1), ("Millimeters", 1), ("cm", 10), ("m", 1000), ("µm", 0.001)])
def test_distances_are_in_the_unit_that_the_header_says(tmp_path, unit, times):
    """SimpleITK takes all for millimetres."""
    placed = f"space: RAS\nspace directions: ({2 / times},0,0) (0,{2 / times},0) (0,0,{3 / times})"
    placed += f'\nspace origin: ({10 / times},{20 / times},{30 / times})\nspace units: "{unit}" "{unit}" "{unit}"'
    volume = read_scan(write_nrrd(tmp_path / "a.nrrd", fields=placed))
    back = sitk.DICOMOrient(volume.image, "RAS")
    assert np.allclose(back.GetSpacing(), (2, 2, 3)) and np.allclose(back.GetOrigin(), (-10, -20, 30))


@pytest.mark.parametrize("units", ['"mm" "mm" "cm"', '"pixel" "pixel" "pixel"'])
def test_a_unit_that_is_no_length_or_not_one_is_refused(tmp_path, units):
    path = write_nrrd(tmp_path / "a.nrrd", fields=f"space: LPS\n{PLACED}\nspace units: {units}")
    with pytest.raises(InputError, match="space units: "):
        read_scan(path)


def test_an_empty_unit_says_nothing(tmp_path):
    path = write_nrrd(tmp_path / "a.nrrd", fields=f'space: LPS\n{PLACED}\nspace units: "" "" ""')
    assert read_scan(path).image.GetSpacing() == (2, 2, 3)
