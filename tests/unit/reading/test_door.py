"""One door: the format is told by content, and what is no image is called what it is."""

import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.errors import InputError
from noisy_student.reading.door import read_label_map, read_scan

VOXELS = np.random.default_rng(0).integers(-1000, 1000, (4, 5, 6)).astype(np.int16)


@pytest.fixture
def image():
    made = sitk.GetImageFromArray(VOXELS)
    made.SetSpacing((2, 3, 4))
    made.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    made.SetMetaData("aux_file", "Doe, John")
    return made


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.nhdr", "a.mhd"])
def test_every_format_comes_in_canonical_orientation_with_the_way_back_and_no_texts(tmp_path, image, name):
    sitk.WriteImage(image, str(tmp_path / name), useCompression=True)
    volume = read_scan(tmp_path / name)
    assert volume.letters == "RAS" and volume.image.GetMetaDataKeys() == ()
    assert volume.geometry.direction == (1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert np.array_equal(sitk.GetArrayFromImage(volume.image), VOXELS[:, ::-1, ::-1])
    back = sitk.DICOMOrient(volume.image, volume.letters)
    assert np.array_equal(sitk.GetArrayFromImage(back), VOXELS)


@pytest.mark.parametrize(("stored", "name"), [("a.nrrd", "b.nii.gz"), ("a.mha", "b.nrrd"), ("a.nii.gz", "b.mha")])
def test_content_counts_and_not_the_name(tmp_path, image, stored, name):
    sitk.WriteImage(image, str(tmp_path / stored))
    (tmp_path / stored).rename(tmp_path / name)
    assert np.array_equal(sitk.GetArrayFromImage(read_scan(tmp_path / name).image), VOXELS[:, ::-1, ::-1])


@pytest.mark.parametrize(
    ("content", "said", "remedy"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS", "git lfs pull"),
        (bytes.fromhex("00051607000200004d6163204f532058") + bytes(99), "macOS", "delete it"),
        (b"<!doctype html><title>Sign in</title>", "a web page", "download"),
        (b"PK\x03\x04" + bytes(50), "a ZIP archive", "unpack"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a picture", "export a volume"),
        (b"", "an empty file", "restore"),
        (bytes(5000), "a file of zeros", "restore"),
        (b"1 2 3 4 5", "no NIfTI header, and no other format's", "convert"),
    ],
)
@pytest.mark.parametrize("read", [read_scan, read_label_map])
def test_what_is_no_image_is_called_what_it_is(tmp_path, read, content, said, remedy):
    (tmp_path / "a.nii.gz").write_bytes(content)
    with pytest.raises(InputError) as error:
        read(tmp_path / "a.nii.gz")
    assert said in error.value.got and remedy in error.value.remedy and "a.nii.gz" in error.value.wanted


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file") as error:
        read_scan(tmp_path / "a.nii.gz")
    assert "correct the path" in error.value.remedy
    (tmp_path / "a.nii.gz").symlink_to("nowhere.nii.gz")
    with pytest.raises(InputError, match=r"a link to nowhere\.nii\.gz, which is not there"):
        read_scan(tmp_path / "a.nii.gz")
