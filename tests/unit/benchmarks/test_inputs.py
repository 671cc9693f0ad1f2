"""The table of kinds of input, and the comparison of what was read with its truth."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from doors import DOORS
from known_truth import Truth, difference, of_nifti
from run_inputs import read_kinds, scripts_of
from scripts import Ended, ending, short

DOCS = Path(__file__).parents[3] / "docs/inputs.md"
SPACING_MM, ORIGIN_MM = (3.0, 4.0, 5.0), (-10.0, 20.0, 30.0)


@pytest.fixture
def voxels():
    """A bright box in air (z, y, x)."""
    array = np.full((8, 9, 10), -1000, np.int16)
    array[2:5, 3:7, 4:8] = 200
    return array


@pytest.fixture
def image(voxels):
    made = sitk.GetImageFromArray(voxels)
    made.SetSpacing(SPACING_MM)
    made.SetOrigin(ORIGIN_MM)
    return made


@pytest.fixture
def truth(voxels):
    positions = np.array(ORIGIN_MM) + np.arange(len(voxels))[:, None] * [0, 0, SPACING_MM[2]]
    return Truth(voxels, positions, np.diag(SPACING_MM)[:, :2])


def test_every_row_says_what_comes_now_and_names_tests_that_are_there():
    rows = [line.strip("| ").split(" | ") for line in DOCS.read_text().splitlines() if line.startswith("| ")]
    there = {path.name for path in DOCS.parents[1].glob("tests/**/test_*.py")}
    for *cells, tests in [row for row in rows if row[0] != "input"]:
        assert len(cells) == 3 and all(cells) and "…" not in cells[2], cells
        assert {name.strip("`") for name in tests.split(", ")} <= there, tests


def test_every_kind_is_a_row_of_the_docs_and_has_a_door():
    rows = {line.split(" | ")[0].removeprefix("| ") for line in DOCS.read_text().splitlines() if line.startswith("| ")}
    kinds = read_kinds()
    assert {kind.words for kind in kinds} <= rows
    assert {kind.door for kind in kinds} <= set(DOORS)


def test_the_same_voxels_differ_in_nothing_however_they_are_stored(image, truth):
    assert difference(image, truth) == ""
    assert difference(sitk.DICOMOrient(image, "RAS"), truth) == ""


def test_another_value_or_a_shift_by_a_voxel_is_a_difference(image, truth):
    image[5, 4, 3] += 30
    assert difference(image, truth) == "0.1% of the voxels are others, by up to 30 HU"
    image[5, 4, 3] -= 30
    image.SetOrigin(np.add(ORIGIN_MM, (0.6 * SPACING_MM[0], 0, 0)).tolist())
    assert "HU" in difference(image, truth) or "outside" in difference(image, truth)


def test_lost_slices_of_the_body_are_a_difference(image, truth):
    assert difference(image[:, :, 2:], truth) == ""  # Air alone.
    assert difference(image[:, :, 3:], truth) == "2.2% of the voxels lie outside"


def test_resampled_by_half_a_voxel_is_right(image, truth):
    origin = np.add(ORIGIN_MM, (0, SPACING_MM[1] / 2, 0)).tolist()
    grid = (image.GetSize(), sitk.Transform(), sitk.sitkLinear, origin, SPACING_MM, image.GetDirection(), -1000)
    assert difference(sitk.Resample(image, *grid), truth) == ""


def test_nifti_is_read_by_its_content_and_in_millimetres(image, truth, tmp_path):
    header = nibabel.Nifti1Header()
    header.set_xyzt_units("meter")
    affine = np.diag((-3e-3, -4e-3, 5e-3, 1))
    affine[:3, 3] = 10e-3, -20e-3, 30e-3
    stored = nibabel.Nifti1Image(truth.values_zyx.transpose(2, 1, 0), affine, header).to_bytes()
    for name, content in (("plain.nii.gz", stored), ("packed.nii", gzip.compress(stored))):
        (tmp_path / name).write_bytes(content)
        assert difference(image, of_nifti(tmp_path / name)) == ""


def test_a_folder_without_scripts_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="INPUTS=FOLDER make inputs"):
        scripts_of(tmp_path)


def test_endings_in_words():
    refused = "wanted: a scan at /a/b.nii\n   got: none\nremedy: give one\n"
    assert ending(Ended(2, "", refused)) == "refused: none; wanted a scan at b.nii"
    assert ending(Ended(1, "", "Traceback (most recent call last):\n  x\nValueError: no\nremedy: more")) == (
        "traceback: ValueError: no"
    )
    assert ending(Ended(0, "", "labelling: 1 of 2, 3 a minute, 4 s left\nwarning: thin\n")) == "warning: thin"
    assert len(short("x" * 1000)) < 200
