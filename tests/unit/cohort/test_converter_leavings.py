from pathlib import Path

import pytest

from noisy_student.cohort.converter_leavings import corrected_beside, further_images, superseded, uncorrected_name


def paths(*names):
    return [Path(f"{name}.nii.gz") for name in names]


@pytest.mark.parametrize("end", ["_Eq_1", "_Tilt_1", "_Eq", "_Tilt", "_Eq_12", "_Tilt_1_Eq_1", "_Tilt_Eq_1"])
def test_the_corrected_one_of_a_series_is_taken(end):
    plain, corrected, other = paths("x_4", f"x_4{end}", "x_5")
    assert superseded([plain, corrected, other]) == {plain: corrected}
    assert uncorrected_name(f"x_4{end}") == "x_4"


def test_the_most_corrected_one_is_taken_in_whichever_format_and_channel_it_lies():
    plain, tilt, both = Path("x_0000.nrrd"), *paths("x_Tilt_1", "x_Tilt_1_Eq_1_0000")
    assert superseded([both, plain, tilt]) == {plain: both, tilt: both}


def test_a_corrected_one_alone_and_names_that_only_look_so_supersede_nothing():
    assert superseded(paths("x_Eq_1", "y_Eq", "y_Eq_1", "Eq_1", "z", "z_Equal", "z_eq_1")) == {}


@pytest.mark.parametrize("end", ["_ROI1", "_real", "_imaginary", "_ph", "_MoCo", "_e2", "_t178", "_i00012", "a", "b"])
def test_further_images_of_a_series_are_found_beside_the_plain_one_alone(end):
    plain, further, other = paths("x_6", f"x_6{end}", "x_7")
    assert further_images([plain, further, other]) == {further: plain}
    assert further_images([further, other]) == {}


def test_scans_named_one_by_one_are_seen_beside_their_corrected_ones(tmp_path):
    for name in ("a/ct.nii.gz", "a/ct_Eq_1.nii.gz", "b/ct.nii.gz", "b/ct_Eq_1.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    named = [tmp_path / name for name in ("a/ct.nii.gz", "b/ct.nii.gz", "c/ct.nii.gz")]
    assert corrected_beside(named) == {named[0]: tmp_path / "a/ct_Eq_1.nii.gz"}
    assert corrected_beside([tmp_path / "a/ct_Eq_1.nii.gz"]) == {}
