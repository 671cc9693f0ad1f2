"""Case lists, missing predictions and the score table."""

import nibabel
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from noisy_student.errors import InputError
from noisy_student.evaluate.evaluation_modes import MODES
from noisy_student.evaluate.scoring import cases_of_folder, cases_of_table, labels_of, score_table, unpaired
from noisy_student.images import write_image
from noisy_student.organs import FLARE22
from noisy_student.tables import read_table, write_table


def write_map(path, label=1):
    array = np.zeros((4, 5, 6), np.uint8)
    array[1:3, 1:4, 1:4] = label
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((1.0, 2.0, 5.0))
    write_image(image, path)


@pytest.fixture
def folders(tmp_path):
    """Three truths, predictions for two of them and one for nobody."""
    for case in ("b", "a", "c"):
        write_map(tmp_path / "truth" / f"{case}.nii.gz")
    for case in ("a", "b", "stranger"):
        write_map(tmp_path / "predictions" / f"{case}.nii.gz")
    return tmp_path / "truth", tmp_path / "predictions"


@pytest.mark.parametrize(("mode", "score"), [("flare22", None), ("flare23plus", None), ("strict", 0.0)])
def test_cases_come_from_the_truths_and_a_missing_prediction_is_named(folders, mode, score):
    table = score_table(cases_of_folder(*folders), MODES[mode], cores=1)
    assert table["case"].unique().tolist() == ["a", "b", "c"]
    assert table["label"].tolist() == [organ.label for organ in FLARE22] * 3
    missing = table[table["case"] == "c"]
    assert set(missing["rule"]) == {"missing prediction"}
    assert missing["prediction_voxels"].isna().all()
    assert missing["truth_voxels"].tolist() == [18] + [0] * 12
    for measure in ("DSC", "NSD"):
        assert missing[measure].isna().all() if score is None else (missing[measure] == score).all()
    assert (table.loc[table["case"] == "a", "DSC"] == 1).all()


def test_truths_with_few_organs_are_named_unless_it_is_said_what_is_labelled(folders, capsys):
    array = np.zeros((4, 5, 6), np.uint8)
    array[1, 1, 1:5] = range(1, 5)
    write_image(sitk.GetImageFromArray(array), folders[0] / "d.nii.gz")
    cases = cases_of_folder(*folders)
    score_table(cases, MODES["strict"], cores=1)
    assert "3 of 4 truth(s) have less than half" in capsys.readouterr().err
    score_table(cases_of_folder(*folders, frozenset([1])), MODES["strict"], cores=1)
    assert "less than half" not in capsys.readouterr().err


def test_volumes(folders):
    liver = score_table(cases_of_folder(*folders), MODES["strict"], cores=1).iloc[0]
    assert liver[["truth_voxels", "prediction_voxels"]].tolist() == [18, 18]
    assert liver["truth_ml"] == liver["prediction_ml"] == pytest.approx(18 * 10 / 1000)


def test_the_case_table_gives_roles_order_and_truths(folders, tmp_path):
    truth, predictions = folders
    rows = [
        ("b", "test", truth / "b.nii.gz", None),
        ("a", "validation", truth / "a.nii.gz", None),
        ("c", "unlabelled", None, truth / "c.nii.gz"),
        ("no truth", "test", None, None),
    ]
    write_table(pd.DataFrame(rows, columns=["case", "role", "label_map", "truth"]), tmp_path / "cases.tsv")
    cases = cases_of_table(tmp_path / "cases.tsv", ["validation", "test"], predictions, "label_map")
    assert [(case.case, case.role) for case in cases] == [("b", "test"), ("a", "validation")]
    table = score_table(cases, MODES["flare22"], cores=1)
    assert table.columns[:3].tolist() == ["case", "role", "label"]
    kept_aside = cases_of_table(tmp_path / "cases.tsv", ["unlabelled"], predictions, "truth")
    assert [case.truth for case in kept_aside] == [truth / "c.nii.gz"]
    with pytest.raises(InputError, match="labelled"):
        cases_of_table(tmp_path / "cases.tsv", ["labelled"], predictions, "label_map")


def test_the_sources_of_a_role_are_its_sets_and_one_source_a_role_names_none(folders, tmp_path):
    truth, predictions = folders

    def sets_of(*sources):
        rows = [(case, role, truth / f"{case}.nii.gz", source) for case, role, source in sources]
        write_table(pd.DataFrame(rows, columns=["case", "role", "label_map", "source"]), tmp_path / "cases.tsv")
        cases = cases_of_table(tmp_path / "cases.tsv", ["validation", "test"], predictions, "label_map")
        table = score_table(cases, MODES["flare22"], cores=1)
        return dict(zip(table["case"], table["set"], strict=True)) if "set" in table else None

    several = ("a", "test", "internal"), ("b", "test", "external"), ("c", "validation", "clinic")
    assert sets_of(*several) == {"a": "internal", "b": "external", "c": "clinic"}
    assert sets_of(("a", "test", "internal"), ("b", "validation", "external"), ("c", "labelled", "clinic")) is None
    assert sets_of(("a", "test", "internal"), ("b", "test", None)) == {"a": "internal", "b": "not given"}


def test_two_processes_give_the_same_table_and_pass_errors_on(folders, tmp_path):
    cases = cases_of_folder(*folders)
    one, two = (score_table(cases, MODES["flare22"], cores) for cores in (1, 2))
    pd.testing.assert_frame_equal(one, two)
    write_map(folders[1] / "b.nii.gz", label=200)
    with pytest.raises(InputError, match="label 200"):
        score_table(cases, MODES["flare22"], cores=2)


def test_a_written_table_reads_back(folders, tmp_path):
    table = score_table(cases_of_folder(*folders), MODES["flare22"], cores=1)
    write_table(table, tmp_path / "scores.tsv")
    back = read_table(tmp_path / "scores.tsv", ("case", "label", "organ", "DSC", "NSD", "rule"))
    assert back["DSC"].equals(table["DSC"].astype(float))
    assert back["case"].equals(table["case"])


def test_any_known_format_and_channel_name_is_scored_alike(folders):
    truth, predictions = folders
    expected = score_table(cases_of_folder(*folders), MODES["strict"], cores=1)
    (predictions / "a.nii.gz").unlink()
    write_map(predictions / "a_0000.mha")
    (predictions / "b.nii.gz").unlink()
    write_map(predictions / "b.nii")
    (truth / "b.nii.gz").unlink()
    write_map(truth / "b_0000.nrrd")
    for name in ("._a.nii.gz", "._c.nii.gz"):
        (truth / name).write_bytes(b"macOS")
        (predictions / name).write_bytes(b"macOS")
    pd.testing.assert_frame_equal(score_table(cases_of_folder(*folders), MODES["strict"], cores=1), expected)


def test_cases_without_prediction_and_predictions_without_case_are_known(folders):
    assert unpaired(cases_of_folder(*folders), folders[1]) == (["c"], ["stranger.nii.gz"])


def test_a_folder_in_which_nothing_fits_stops_with_names_of_both_sides(folders):
    truth, predictions = folders
    for number in range(4):
        write_map(predictions / f"other/label_{number}.nii.gz")
    cases = cases_of_folder(truth, predictions / "other")
    with pytest.raises(InputError) as error:
        unpaired(cases, predictions / "other")
    names = "label_0.nii.gz, label_1.nii.gz, label_2.nii.gz, …"
    assert error.value.got == f"cases a.nii.gz, b.nii.gz, c.nii.gz; predictions {names}"
    (predictions / "empty").mkdir()
    with pytest.raises(InputError, match="predictions none"):
        unpaired(cases_of_folder(truth, predictions / "empty"), predictions / "empty")


def write_scaled(path, label=3, dtype=np.uint8):
    """A label map of reals under a header of whole numbers, as nibabel saves it."""
    array = np.zeros((6, 5, 4))
    array[1:4, 1:4, 1:3] = label
    array[0, 0, 0] = 13
    header = nibabel.Nifti1Header()
    header.set_data_dtype(dtype)
    nibabel.save(nibabel.Nifti1Image(array, np.diag((-1.0, -2.0, 5.0, 1.0)), header), path)


def test_labels_that_went_through_a_scaling_are_rounded_and_said_once_for_all_files(folders, capsys):
    truth, predictions = folders
    for case in "abc":
        write_scaled(truth / f"{case}.nii.gz")
        write_scaled(predictions / f"{case}.nii.gz")
    scores = score_table(cases_of_folder(truth, predictions), MODES["strict"], cores=1)
    assert scores.loc[scores.label == 3, "truth_voxels"].tolist() == [18, 18, 18]
    assert (scores.DSC == 1).all()
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert len(lines) == 1 and lines[0].startswith("warning, 6 file(s): labels that are off whole numbers")
    assert "slope 0.0509804" in lines[0] and str(truth / "a.nii.gz") in lines[0] and lines[0].count(".nii.gz") == 3


def test_labels_that_a_scaling_has_lost_are_not_said_to_be_interpolated(folders):
    truth, predictions = folders
    write_scaled(truth / "a.nii.gz", label=104)
    image = nibabel.load(truth / "a.nii.gz")
    assert np.abs(image.get_fdata() - image.get_fdata().round()).max() > 0.05
    with pytest.raises(InputError, match=r"slope 0\.407843") as error:
        score_table(cases_of_folder(truth, predictions)[:1], MODES["strict"], cores=1)
    assert "without a scaling" in error.value.remedy and "nearest" not in error.value.remedy


def test_a_truth_without_prediction_has_its_remarks_too(folders, capsys):
    truth, predictions = folders
    write_scaled(truth / "c.nii.gz")
    score_table(cases_of_folder(truth, predictions), MODES["strict"], cores=1)
    assert "warning, 1 file(s): labels that are off whole numbers by up to 0.0" in capsys.readouterr().err


def test_a_folder_without_truths_stops(tmp_path):
    with pytest.raises(InputError, match="none"):
        cases_of_folder(tmp_path, tmp_path)


def test_a_truth_that_changed_since_it_was_checked_stops_and_is_named(folders, tmp_path):
    truth, predictions = folders
    row = {"case": ["a"], "role": ["test"], "label_map": [truth / "a.nii.gz"], "labels_sha256": ["0" * 64]}
    write_table(pd.DataFrame(row), tmp_path / "cases.tsv")
    cases = cases_of_table(tmp_path / "cases.tsv", ["test"], predictions, "label_map")
    with pytest.raises(InputError, match=r"truth/a\.nii\.gz as it was when it was checked"):
        score_table(cases, MODES["flare22"], cores=1)


LIVER, SPLEEN = 1, 3


@pytest.mark.parametrize("mode", MODES)
def test_organs_that_are_not_labelled_have_rows_without_scores(folders, mode):
    everything = score_table(cases_of_folder(*folders), MODES[mode], cores=1)
    table = score_table(cases_of_folder(*folders, labels_of(["liver", "spleen"], FLARE22)), MODES[mode], cores=1)
    judged = table["label"].isin([LIVER, SPLEEN])
    pd.testing.assert_frame_equal(table[judged], everything[judged], check_dtype=False)
    others = table[~judged]
    assert len(others) == 3 * 11 and set(others["rule"]) == {"not labelled"}
    assert others[["DSC", "NSD", "truth_voxels", "truth_ml"]].isna().all(axis=None)
    assert (others.loc[others["case"] != "c", "prediction_voxels"] == 0).all()


def test_the_case_table_says_which_organs_are_labelled(folders, tmp_path):
    truth, predictions = folders
    rows = [("a", "test", truth / "a.nii.gz", "1 3"), ("b", "test", truth / "b.nii.gz", None)]
    for cells in (["1 3", None], ["3", "1"], ["3", None]):
        rows = [(case, "test", truth / f"{case}.nii.gz", cell) for case, cell in zip("ab", cells, strict=True)]
        write_table(pd.DataFrame(rows, columns=["case", "role", "label_map", "organs"]), tmp_path / "cases.tsv")
        cases = cases_of_table(tmp_path / "cases.tsv", ["test"], predictions, "label_map")
        table = score_table(cases, MODES["flare22"], cores=1)
        judged = table.dropna(subset="DSC").groupby("case")["label"].agg(list).to_dict()
        everything = [organ.label for organ in FLARE22]
        assert judged == {
            case: [int(label) for label in cell.split()] if cell else everything
            for case, cell in zip("ab", cells, strict=True)
        }


def test_a_name_that_no_organ_has_is_refused():
    with pytest.raises(InputError, match="lever"):
        labels_of(["liver", "lever"], FLARE22)
