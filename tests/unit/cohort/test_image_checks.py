"""Each thing that looks wrong is a remark of its own, and a plain CT has none."""

import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.cohort.image_checks import scan_remarks, tilt_degrees
from noisy_student.geometry import Geometry, orientation, reorient
from noisy_student.reading.volume import NOT_CT, Volume

UPRIGHT = (1, 0, 0, 0, 1, 0, 0, 0, 1)
CORONAL = (1, 0, 0, 0, 0, 1, 0, -1, 0)
# As KiTS has its scans: axes towards the feet, the back and the left.
SLICES_FIRST = (0, 0, 1, 0, 1, 0, -1, 0, 0)
TILTED = (1, 0, 0, 0, np.cos(0.2), -np.sin(0.2), 0, np.sin(0.2), np.cos(0.2))


def ct():
    """Air around a body with bone in it."""
    array = np.full((20, 30, 30), -1000, np.int16)
    array[:, 5:25, 5:25] = 40
    array[:, 14:16, 14:16] = 700
    return array


def volume(array, spacing=(9.0, 9.0, 5.0), direction=UPRIGHT):
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetDirection(direction)
    return Volume(reorient(image, "LPS"), orientation(image.GetDirection()))


def found(*arguments, **more):
    return [(remark.severity, remark.found) for remark in scan_remarks(volume(*arguments, **more))]


def test_a_plain_ct_has_no_remarks():
    assert found(ct()) == []


def test_the_voxels_of_a_plain_ct_are_ranked_once(monkeypatch):
    """Of a scan of 512 × 512 × 100 voxels each time takes a fifth of a second."""
    ranked, percentile = [], np.percentile
    monkeypatch.setattr(np, "percentile", lambda *given: ranked.append(1) or percentile(*given))
    assert found(ct()) == [] and len(ranked) == 1


@pytest.mark.parametrize(
    ("scan", "said"),
    [
        ((np.maximum(ct(), -90),), "no air: 99.5 % of the voxels are above -90"),
        ((np.where(np.arange(20)[:, None, None] < 2, -3024, ct()),), "padding: -3024 and 10.0% below -1100"),
        ((ct(), (1.0, 1.0, 1.0)), "spacing of exactly 1 × 1 × 1 mm"),
        ((ct(), (9.0, 9.0, 50.0)), "spacing of 50 mm, head-foot"),
        ((ct(), (9.0, 1.0, 5.0)), "extent of 30 mm, across the body"),
        ((ct(), (9.0, 9.0, 0.5)), "extent of 10 mm, head-foot"),
        ((ct(), (9.0, 9.0, 9.0), CORONAL), "slices are stacked towards P"),
        ((ct(), (9.0, 9.0, 5.0), CORONAL), "slices are stacked towards P"),
        ((ct(), (9.0, 9.0, 5.0), TILTED), "oblique by 11.5°"),
    ],
)
def test_what_looks_wrong_is_a_warning(scan, said):
    remarks = scan_remarks(volume(*scan))
    assert said in [remark.found for remark in remarks]
    assert {remark.severity for remark in remarks} == {"warning"}
    assert all(remark.wanted and remark.remedy for remark in remarks)


def test_axial_slices_that_a_file_has_along_its_first_axis_are_axial():
    assert found(ct().transpose(2, 1, 0), (5.0, 9.0, 9.0), SLICES_FIRST) == []


def in_a_circle(array, padding):
    """What scanners write outside the circle that they reconstruct."""
    y, x = np.indices(array.shape[1:]) - 14.5
    return np.where(np.hypot(y, x) > 15, padding, array)


@pytest.mark.parametrize("padding", [-1000, -1024, -2000, -3024])
def test_padding_around_hounsfield_units_is_no_more_than_a_warning(padding):
    share = np.mean(in_a_circle(ct(), 1) == 1)
    expected = [("warning", f"padding: {padding} and {share:.1%} below -1100")] if padding < -1100 else []
    assert found(in_a_circle(ct(), padding)) == expected
    assert all("-1024" in remark.remedy for remark in scan_remarks(volume(in_a_circle(ct(), padding))))


@pytest.mark.parametrize("padding", [-1000, -1024, -2000, -3024])
@pytest.mark.parametrize("noise", [0, 25])
def test_padding_around_values_as_stored_is_no_air(padding, noise):
    stored = np.rint(ct() + 1024 + np.random.default_rng(0).normal(0, noise, ct().shape))
    (remark,) = scan_remarks(volume(in_a_circle(stored, padding).astype(np.int16)))
    assert (remark.kind, remark.severity) == (NOT_CT, "error")
    assert "intercept" in remark.remedy and "-1024" not in remark.remedy


def test_padding_around_what_has_no_air_is_left_until_its_units_are_sure():
    crop = np.where(ct() == -1000, -90, ct())
    no_air, padding = scan_remarks(volume(in_a_circle(crop, -2000)))
    assert (no_air.kind, padding.kind) == ("no air", "padding")
    assert padding.remedy.startswith("look first whether these are Hounsfield units")


def test_a_label_map_in_a_scans_place_is_called_that():
    remarks = scan_remarks(volume((ct() > 0).astype(np.uint8) * 13))
    assert [(remark.kind, remark.severity) for remark in remarks] == [(NOT_CT, "error")]
    assert "0 to 13, as in a label map" in remarks[0].found and "swapped" in remarks[0].remedy


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (ct() + 1024, "neither air nor fat, 99.5 % of the voxels are above 24"),
        (ct() / 1000.0, "neither air nor fat"),
        (np.minimum(ct(), -50), "no soft tissue, 99.5 % of the voxels are below -50"),
        (ct() * 1000.0, "over 0.5 % of the voxels are above 40000"),
    ],
)
def test_what_has_no_hounsfield_units_is_no_ct(array, said):
    remarks = scan_remarks(volume(array))
    assert [(remark.kind, remark.severity) for remark in remarks] == [(NOT_CT, "error")]
    assert said in remarks[0].found and "cohort.accept" in remarks[0].remedy


@pytest.mark.parametrize("array", [np.zeros((4, 4, 4), np.int16), np.full((4, 4, 4), 1e39)])
def test_what_cannot_be_used_is_an_error(array):
    assert [severity for severity, _ in found(array)] == ["error"]


def test_sheared_axes_are_an_error():
    ((severity, said),) = found(ct(), direction=(1, 0.2, 0, 0, 1, 0, 0, 0, 1))
    assert severity == "error" and "not perpendicular" in said


def test_a_scan_thinner_than_half_a_voxel_of_a_network_is_an_error():
    thin = volume(ct()[:3], (9.0, 9.0, 1.0))
    for spacings, said in (([(5.0, 9.0, 9.0)], []), ([None], []), ([(5, 9, 9), (6.5, 9, 9), None], ["head-foot"])):
        remarks = [remark for remark in scan_remarks(thin, spacings) if remark.kind == "thin"]
        assert [remark.found for remark in remarks] == [f"an extent of 3 mm, {axis}" for axis in said]
        assert all(remark.severity == "error" and "3.25 mm" in remark.wanted for remark in remarks)


def test_flipped_axes_are_not_tilted():
    assert tilt_degrees(Geometry((1, 1, 1), (1, 1, 1), (0, 0, 0), (-1, 0, 0, 0, -1, 0, 0, 0, 1))) == 0
