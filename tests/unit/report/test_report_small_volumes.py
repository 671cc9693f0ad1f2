"""Volumes of the report's viewer: small enough, on one grid, in the right place."""

import base64
import gzip

import numpy as np
import pytest
import SimpleITK as sitk

import synthetic_scans
from noisy_student.report.montage import Cut
from noisy_student.report.small_volumes import small_volumes
from noisy_student.report.volumes import CASE_BYTES, PAGE_BYTES, limit_for


@pytest.fixture
def scan():
    noise = np.random.default_rng(1).normal(40, 200, synthetic_scans.SIZE_XYZ[::-1]).astype(np.int16)
    image = synthetic_scans.as_image(noise)
    image.SetOrigin((-100, -50, 20))
    return image


@pytest.fixture
def labels():
    return synthetic_scans.body(np.zeros(3), 1.0)


def read(text, folder):
    path = folder / "volume.nii.gz"
    path.write_bytes(base64.b64decode(text))
    return sitk.ReadImage(str(path))


def volumes_of(scan, labels, limit_bytes, lower=(2, 4, 6), upper=(30, 54, 66)):
    return small_volumes(scan, {"truth": labels}, Cut(0, 0, lower, upper), limit_bytes)


def test_without_need_the_box_is_kept_as_it_is(scan, labels, tmp_path):
    made = volumes_of(scan, labels, CASE_BYTES)
    assert list(made) == ["image", "truth"]
    truth = read(made["truth"], tmp_path)
    assert np.array_equal(sitk.GetArrayFromImage(truth), labels[2:30, 4:54, 6:66])
    expected = scan.TransformIndexToPhysicalPoint((6, 4, 2))
    assert truth.GetOrigin() == pytest.approx(expected)
    assert sitk.GetArrayFromImage(read(made["image"], tmp_path)).max() == 255


@pytest.mark.parametrize("limit_bytes", [60_000, 20_000, 8_000])
def test_coarser_volumes_fit_and_cover_the_same_box(scan, labels, limit_bytes, tmp_path):
    made = volumes_of(scan, labels, limit_bytes)
    assert sum(map(len, made.values())) <= limit_bytes
    image, truth = read(made["image"], tmp_path), read(made["truth"], tmp_path)
    assert image.GetSize() == truth.GetSize() and image.GetOrigin() == truth.GetOrigin()
    extent = np.multiply(truth.GetSize(), truth.GetSpacing())
    assert extent == pytest.approx(np.multiply((60, 50, 28), synthetic_scans.SPACING_MM_XYZ), rel=1e-4)
    corner = truth.TransformContinuousIndexToPhysicalPoint([-0.5] * 3)
    assert corner == pytest.approx(scan.TransformContinuousIndexToPhysicalPoint([5.5, 3.5, 1.5]), abs=1e-2)


def test_coarser_labels_are_where_the_organs_are(scan, labels, tmp_path):
    truth = read(volumes_of(scan, labels, 20_000)["truth"], tmp_path)
    coarse = sitk.GetArrayFromImage(truth)
    assert set(np.unique(coarse)) <= set(range(14))
    for label in (1, 3, 11):
        volume = (coarse == label).sum() * np.prod(truth.GetSpacing())
        own = (labels[2:30, 4:54, 6:66] == label).sum() * np.prod(synthetic_scans.SPACING_MM_XYZ)
        assert volume == pytest.approx(own, rel=0.15)


def test_same_scan_gives_the_same_text(scan, labels):
    first, again = (volumes_of(scan, labels, 20_000) for _ in range(2))
    assert first == again and gzip.decompress(base64.b64decode(first["truth"]))


def test_all_cases_together_stay_small():
    assert limit_for(0) == limit_for(1) == CASE_BYTES
    assert all(cases * limit_for(cases) <= PAGE_BYTES for cases in range(1, 200))
