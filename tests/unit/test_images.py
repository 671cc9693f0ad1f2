import resource

import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student import images
from noisy_student.errors import InputError
from noisy_student.geometry import Geometry
from noisy_student.images import VOLUME_FORMATS, read_geometry, write_image


@pytest.fixture
def small_files():
    """No file may grow beyond 50 kB, as if the disk was full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nrrd"])
def test_an_image_that_does_not_fit_on_the_disk_is_an_error_and_leaves_no_file(tmp_path, small_files, name):
    noise = np.random.default_rng(1).integers(0, 2000, (20, 50, 50)).astype(np.int16)
    with pytest.raises((OSError, RuntimeError)) as error:
        write_image(sitk.GetImageFromArray(noise), tmp_path / name)
    assert name in error.value.__notes__[0] and "free on its disk" in error.value.__notes__[0]
    assert list(tmp_path.iterdir()) == []


def volume(origin=(1.0, 2.0, 3.0)):
    image = sitk.GetImageFromArray(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    image.SetSpacing((0.7, 0.8, 2.5))
    image.SetOrigin(origin)
    return image


@pytest.mark.parametrize("extension", VOLUME_FORMATS)
def test_voxels_and_place_are_kept_in_every_format(tmp_path, extension):
    write_image(volume(), tmp_path / f"x{extension}")
    assert not read_geometry(tmp_path / f"x{extension}").differences(Geometry.of(volume()))
    assert (sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / f"x{extension}"))).ravel() == range(24)).all()


@pytest.mark.parametrize("name", ["x.png", "x.dcm", "x.jpg", "x.NII", "x"])
def test_a_format_that_holds_no_volume_is_an_error_and_leaves_no_file(tmp_path, name):
    with pytest.raises(InputError, match=f"{name}\nremedy: give a name that ends in \\.nii\\.gz"):
        write_image(volume(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_the_format_does_not_keep_is_an_error_and_its_remedy_works(tmp_path):
    far = volume(origin=(123456789.4, 0.0, 0.0))
    with pytest.raises(InputError, match=r"grid of .*far") as error:
        write_image(far, tmp_path / "far.nii.gz")
    assert "origin in mm" in error.value.got and "a name that ends in .mha" in error.value.remedy
    assert list(tmp_path.iterdir()) == []
    write_image(far, tmp_path / "far.mha")
    assert read_geometry(tmp_path / "far.mha").origin_mm_xyz[0] == pytest.approx(123456789.4, abs=0.01)


@pytest.mark.parametrize("name", ["x.nii.gz", "x.nrrd"])
def test_an_image_that_is_read_back_in_another_size_is_an_error(tmp_path, monkeypatch, name):
    cut = volume()[:, :, :1]
    monkeypatch.setattr(images, "read_image", lambda path: cut)
    monkeypatch.setattr(images, "read_geometry", lambda path: Geometry.of(cut))
    with pytest.raises(InputError, match=r"size \(4, 3, 2\) and \(4, 3, 1\)"):
        write_image(volume(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_nifti_file_that_was_written_is_unpacked_once(tmp_path, monkeypatch):
    monkeypatch.setattr(images.sitk, "ReadImage", lambda *_: pytest.fail("unpacked again"))
    write_image(volume(), tmp_path / "x.nii.gz")
