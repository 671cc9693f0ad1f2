"""DICOM segmentations read back by our own reader, on scans whose slices are straight, shifted or uneven."""

import numpy as np
import pytest
import SimpleITK as sitk

from dicom_series import write_series
from enhanced_dicom import write_enhanced
from noisy_student.geometry import image_like
from noisy_student.organs import FLARE22
from noisy_student.reading.door import read_label_map, read_scan
from noisy_student.writing.dicom_seg import write
from noisy_student.writing.segmentation import Segmentation
from noisy_student.writing.slices import on_slices, stored_slices

LABELS = {organ.name: organ.label for organ in FLARE22}
RANDOM = np.random.default_rng(6)


def read_back(scan_path, path):
    """The scan, a label map of it with all organs, and the same as it comes back from DICOM."""
    scan = read_scan(scan_path)
    labels = RANDOM.integers(0, 14, scan.geometry.size_xyz[::-1]).astype(np.uint8)
    image = image_like(labels, scan.image)
    assert write(Segmentation(image, FLARE22, "a model"), scan_path, path) == ()
    return scan, image, read_label_map(path, scan, LABELS.get)


@pytest.mark.parametrize(
    "axes",
    [((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), ((0.96, 0.28, 0.0), (-0.28, 0.96, 0.0)), ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))],
)
def test_a_straight_series_label_map_comes_back_in_every_voxel_and_name(tmp_path, axes):
    write_series(tmp_path / "case", np.zeros((6, 9, 8), np.int16), (0.7, 0.8, 2.5), axes)
    _, image, found = read_back(tmp_path / "case", tmp_path / "x.dcm")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found.image), sitk.GetArrayFromImage(image))
    assert found.names == {organ.label: organ.name for organ in FLARE22} and not found.remarks


def test_an_enhanced_scans_label_map_comes_back(tmp_path):
    positions = [(0.0, 0.0, 3.0 * number) for number in (3, 0, 5, 1, 4, 2)]
    path = write_enhanced(tmp_path / "case.dcm", np.zeros((6, 9, 8), np.int16), positions)
    _, image, found = read_back(path, tmp_path / "x.dcm")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(found.image), sitk.GetArrayFromImage(image))


@pytest.mark.parametrize(
    "lies", [{"tilt_mm": 0.7}, {"heights_mm": np.array([0, 2, 4, 6, 10, 14, 18])}, {"tilt_mm": 1.0}]
)
def test_what_was_brought_onto_stored_slices_is_on_them_when_it_comes_back(tmp_path, lies):
    write_series(tmp_path / "case", np.zeros((7, 9, 8), np.int16), (1.0, 1.0, 2.0), **lies)
    scan, image, found = read_back(tmp_path / "case", tmp_path / "x.dcm")
    assert scan.corrected
    slices = stored_slices(tmp_path / "case")
    np.testing.assert_array_equal(on_slices(found.image, slices), on_slices(image, slices))
