import resource

import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.images import write_image


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
