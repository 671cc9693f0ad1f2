"""Each thing that looks wrong is a warning of its own, and a plain CT has none."""

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.cohort.image_checks import image_findings, tilt_degrees
from noisy_student.cohort.scans import Scan
from noisy_student.geometry import Geometry
from noisy_student.images import read_image

SCAN = Scan("a", "unlabelled", "a_0000.nii.gz")
UPRIGHT = (1, 0, 0, 0, 1, 0, 0, 0, 1)
CORONAL = (1, 0, 0, 0, 0, 1, 0, -1, 0)
TILTED = (1, 0, 0, 0, np.cos(0.2), -np.sin(0.2), 0, np.sin(0.2), np.cos(0.2))


def ct():
    """Air around a body with bone in it."""
    array = np.full((20, 30, 30), -1000, np.int16)
    array[:, 5:25, 5:25] = 40
    array[:, 14:16, 14:16] = 700
    return array


def image(array, spacing=(9.0, 9.0, 5.0), direction=UPRIGHT):
    made = sitk.GetImageFromArray(array)
    made.SetSpacing(spacing)
    made.SetDirection(direction)
    return made


def found(*arguments, **more):
    return [finding.found for finding in image_findings(SCAN, image(*arguments, **more))]


def test_a_plain_ct_has_no_findings():
    assert found(ct()) == []


@pytest.mark.parametrize(
    ("scan", "said"),
    [
        (image(ct() + 1024), "no air: 99.5 % of the voxels are above 24"),
        (image(np.minimum(ct(), -50)), "99.5 % of the voxels are below -50"),
        (image(np.where(np.arange(20)[:, None, None] < 2, -3024, ct())), "padding: -3024 and 10.0% below -1100"),
        (image(ct(), spacing=(1.0, 1.0, 1.0)), "spacing of exactly 1 × 1 × 1 mm"),
        (image(ct(), spacing=(9.0, 9.0, 50.0)), "spacing of 50 mm, head-foot"),
        (image(ct(), spacing=(9.0, 1.0, 5.0)), "extent of 30 mm, across the body"),
        (image(ct(), spacing=(9.0, 9.0, 0.5)), "extent of 10 mm, head-foot"),
        (image(ct(), direction=CORONAL), "slices are stacked towards P"),
        (image(ct(), direction=TILTED), "oblique by 11.5°"),
    ],
)
def test_what_looks_wrong_is_a_warning(scan, said):
    findings = image_findings(SCAN, scan)
    assert said in [finding.found for finding in findings]
    assert {finding.severity for finding in findings} == {"warning"}
    assert all(finding.file == SCAN.image and finding.wanted and finding.remedy for finding in findings)


def test_a_header_without_orientation_is_a_warning(tmp_path):
    for code, said in ((0, ["no orientation in the header (qform and sform 0)"]), (1, [])):
        stored = nibabel.Nifti1Image(ct().T, np.diag((-9.0, -9.0, 5.0, 1.0)))
        stored.set_sform(None, code=0)
        stored.set_qform(stored.affine, code=code)
        nibabel.save(stored, tmp_path / "a.nii.gz")
        assert [finding.found for finding in image_findings(SCAN, read_image(tmp_path / "a.nii.gz"))] == said


@pytest.mark.parametrize("array", [np.zeros((4, 4, 4), np.int16), np.full((4, 4, 4), np.nan, np.float32)])
def test_what_cannot_be_used_is_an_error(array):
    assert [finding.severity for finding in image_findings(SCAN, image(array))] == ["error"]


def test_sheared_axes_are_an_error():
    sheared = image(ct(), direction=(1, 0.2, 0, 0, 1, 0, 0, 0, 1))
    findings = image_findings(SCAN, sheared)
    assert [finding.severity for finding in findings] == ["error"] and "not perpendicular" in findings[0].found


def test_flipped_axes_are_not_tilted():
    assert tilt_degrees(Geometry((1, 1, 1), (1, 1, 1), (0, 0, 0), (-1, 0, 0, 0, -1, 0, 0, 0, 1))) == 0
