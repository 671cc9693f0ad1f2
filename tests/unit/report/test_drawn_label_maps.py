"""Users' label maps as they are drawn: read as when they were checked, whatever their names and numbers' type."""

import numpy as np
import pytest
import SimpleITK as sitk

import synthetic_scans
from noisy_student.report.examples import labels_on_grid_of

LABELS = synthetic_scans.body(np.zeros(3), 1.0)


def write(path, labels_zyx, letters="RAI"):
    image = synthetic_scans.as_image(labels_zyx)
    sitk.WriteImage(sitk.DICOMOrient(image, letters), str(path))
    return image


@pytest.mark.parametrize("name", ["0f3a9c", "case.nii.gz"])
def test_a_label_map_of_any_name_is_drawn_as_when_a_link_led_to_it(tmp_path, name):
    """Hugging Face's cache and DVC keep files under their checksums, with links that have the names."""
    scan = write(tmp_path / "case.nii.gz", LABELS)
    (tmp_path / "case.nii.gz").rename(tmp_path / name)
    assert np.array_equal(labels_on_grid_of(scan, tmp_path / name), LABELS)


def test_reals_just_below_whole_numbers_are_drawn_as_these(tmp_path):
    scan = write(tmp_path / "a.nii.gz", LABELS * np.float32(0.99999))
    labels = labels_on_grid_of(scan, tmp_path / "a.nii.gz")
    assert labels.max() == 13 and np.array_equal(labels.astype(np.uint8), LABELS)
