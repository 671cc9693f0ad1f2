import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.cohort.conversion import convert, convert_label_map, is_whole
from noisy_student.geometry import Geometry, image_like, orientation, reorient
from noisy_student.images import read_geometry, read_image

ARRAY = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)


@pytest.fixture
def scan(write_scan):
    return write_scan("a_0000.nii.gz", ARRAY)


def test_a_scan_comes_out_canonical_with_every_voxel_at_its_place(scan, tmp_path):
    convert(scan, tmp_path / "out/a_0000.nii.gz")
    before, after = read_image(scan), read_image(tmp_path / "out/a_0000.nii.gz")
    assert orientation(after.GetDirection()) == "LPS"
    for index in np.ndindex(before.GetSize()):
        place = before.TransformIndexToPhysicalPoint(tuple(map(int, index)))
        assert after[after.TransformPhysicalPointToIndex(place)] == before[tuple(map(int, index))]


def test_a_canonical_scan_is_linked_not_copied(scan, tmp_path):
    convert(scan, tmp_path / "once.nii.gz")
    convert(tmp_path / "once.nii.gz", tmp_path / "twice.nii.gz")
    assert (tmp_path / "twice.nii.gz").samefile(tmp_path / "once.nii.gz")


def test_a_label_map_of_reals_becomes_whole_numbers(write_scan, tmp_path):
    label_map = write_scan("label.nii.gz", (ARRAY % 14).astype(np.float64))
    convert_label_map(label_map, tmp_path / "out.nii.gz", label_map)
    out = read_image(tmp_path / "out.nii.gz")
    assert out.GetPixelID() == sitk.sitkUInt8
    assert sorted(np.unique(sitk.GetArrayFromImage(out))) == list(range(14))


@pytest.mark.parametrize("letters", ["RAS", "LPS", "LAI", "PIR", "SAL"])
def test_orienting_there_and_back_gives_the_same_image(letters):
    image = sitk.GetImageFromArray(ARRAY)
    image.SetSpacing((0.7, 0.8, 2.5))
    image.SetOrigin((-10.0, 20.0, 5.0))
    turned = reorient(image, letters)
    assert orientation(turned.GetDirection()) == letters
    back = reorient(turned, "LPS")
    assert (sitk.GetArrayFromImage(back) == ARRAY).all()
    assert Geometry.of(back).differences(Geometry.of(image)) == []


def test_a_truncated_file_is_not_whole(write_scan):
    path = write_scan("big.nii.gz", np.random.default_rng(0).integers(0, 9999, (20, 30, 30)).astype(np.int16))
    assert is_whole(path)
    path.write_bytes(path.read_bytes()[:-100])
    assert not is_whole(path)
    path.unlink()
    assert not is_whole(path)


def test_geometry_differences_name_both_values(scan):
    geometry = read_geometry(scan)
    other = Geometry.of(image_like(ARRAY, read_image(scan)))
    assert geometry.differences(other) == []
    shifted = Geometry(geometry.size_xyz, (3.0, 3.0, 4.0), geometry.origin_mm_xyz, geometry.direction)
    assert geometry.differences(shifted) == ["spacing in mm (3, 3, 5) and (3, 3, 4)"]
