"""One grid, stored in another axis order: the pair that is learned from is the same."""

import itertools
import tempfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import example, given, settings
from hypothesis import strategies as st

from noisy_student.cohort.case_checks import Standard, examine
from noisy_student.cohort.conversion import convert, convert_label_map
from noisy_student.cohort.scans import Scan
from noisy_student.evaluate.judged_pair import read_pair
from noisy_student.images import read_geometry, read_image
from noisy_student.organs import FLARE22

LETTERS = [
    "".join(axis[sign] for axis, sign in zip(axes, signs, strict=True))
    for axes in itertools.permutations(("RL", "AP", "IS"))
    for signs in itertools.product((0, 1), repeat=3)
]
SHAPE = (5, 6, 7)


def image(array, tilted):
    made = sitk.GetImageFromArray(array)
    made.SetSpacing((22.0, 24.0, 8.0))
    made.SetOrigin((-100.0, -120.0, 900.0))
    cosine, sine = np.cos(0.1), np.sin(0.1)
    made.SetDirection((1, 0, 0, 0, cosine, -sine, 0, sine, cosine) if tilted else np.eye(3).ravel().tolist())
    return made


def pair(tilted):
    random = np.random.default_rng(0)
    scan = random.integers(-1000, 1000, SHAPE).astype(np.int16)
    return image(scan, tilted), image(random.integers(0, 14, SHAPE).astype(np.uint8), tilted)


orders, formats = st.sampled_from(LETTERS), st.sampled_from((".nii.gz", ".nii", ".nrrd", ".mha"))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(orders, orders, formats, formats, st.booleans())
@example("LPS", "LAS", ".nrrd", ".nii.gz", False)
@example("LPS", "RAS", ".nii.gz", ".nii.gz", True)
def test_any_order_of_a_scan_with_any_of_its_label_map_is_the_same_converted_pair(one, other, format_, second, tilted):
    scan, label_map = pair(tilted)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = folder / f"a_0000{format_}", folder / f"a{second}"
        sitk.WriteImage(sitk.DICOMOrient(scan, one), str(paths[0]))
        sitk.WriteImage(sitk.DICOMOrient(label_map, other), str(paths[1]))
        row, findings = examine(Scan("a", "labelled", *paths), Standard(FLARE22, folder / "renumbered"))
        assert [finding for finding in findings if finding.severity == "error"] == []
        convert(paths[0], folder / "scan.nii.gz")
        convert_label_map(row["label_map"], folder / "label_map.nii.gz", folder / "scan.nii.gz")
        for wanted, file in ((scan, "scan.nii.gz"), (label_map, "label_map.nii.gz")):
            assert np.array_equal(sitk.GetArrayFromImage(read_image(folder / file)), sitk.GetArrayFromImage(wanted))


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("degrees", [(44.99, 45.01), (45.01, 44.99), (45, 45)])
def test_axes_halfway_between_the_patients_are_rounded_alike_in_scan_and_label_map(tmp_path, axis, degrees):
    for name, made, angle in zip(("scan", "label_map"), pair(tilted=False), np.radians(degrees), strict=True):
        turn = np.insert(
            np.insert([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], axis, 0, 0), axis, 0, 1
        )
        turn[axis, axis] = 1
        made.SetDirection(turn.ravel().tolist())
        sitk.WriteImage(made, str(tmp_path / f"{name}.mha"))
    convert(tmp_path / "scan.mha", tmp_path / "scan.nii.gz")
    convert_label_map(tmp_path / "label_map.mha", tmp_path / "label_map.nii.gz", tmp_path / "scan.nii.gz")
    grids = [read_geometry(tmp_path / f"{name}.nii.gz") for name in ("scan", "label_map")]
    assert grids[0].differences(grids[1]) == []


@pytest.mark.parametrize("letters", LETTERS)
def test_a_prediction_in_any_order_is_judged_against_the_same_voxels(tmp_path, letters):
    label_map = pair(tilted=True)[1]
    sitk.WriteImage(label_map, str(tmp_path / "truth.nii.gz"))
    sitk.WriteImage(sitk.DICOMOrient(label_map, letters), str(tmp_path / "prediction.nrrd"))
    judged = read_pair(tmp_path / "truth.nii.gz", tmp_path / "prediction.nrrd", len(FLARE22))
    assert np.array_equal(judged.truth_zyx, judged.prediction_zyx)
