"""The evaluation's commands as a user types them, one after the other on the same files."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from evaluate import means_in_words
from noisy_student.efficiency import figures as efficiency
from noisy_student.evaluate import comparison
from noisy_student.evaluate.aggregate import COLUMNS as SUMMARY_COLUMNS
from noisy_student.evaluate.aggregate import summarise
from noisy_student.images import write_image
from noisy_student.machine import cpu_name
from noisy_student.organs import FLARE22
from noisy_student.tables import read_table, write_table

SCRIPTS = Path(__file__).parents[3] / "workflow/scripts"
STANDALONE_COLUMNS = (
    *("case", "label", "organ", "DSC", "NSD", "truth_voxels", "prediction_voxels"),
    *("truth_ml", "prediction_ml", "rule"),
)


def command(script, *words):
    return subprocess.run([sys.executable, SCRIPTS / script, *map(str, words)], capture_output=True, text=True)


def done(script, *words):
    result = command(script, *words)
    assert result.returncode == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three scans with truths, the predictions of two rounds, and their case table."""
    root = tmp_path_factory.mktemp("study")
    random = np.random.default_rng(0)
    rows = []
    for number, role in enumerate(("test", "test", "validation")):
        case = f"case_{number}"
        truth = random.integers(0, 14, (6, 8, 10)).astype(np.uint8)
        write_image(sitk.GetImageFromArray(truth), root / "truth" / f"{case}.nii.gz")
        for round_number, right in ((0, 0.4), (1, 0.8)):
            prediction = np.where(random.random(truth.shape) < right, truth, 0).astype(np.uint8)
            path = root / f"round_{round_number}/predictions" / f"{case}.nii.gz"
            write_image(sitk.GetImageFromArray(prediction), path)
        rows.append((case, role, root / "truth" / f"{case}.nii.gz", root / "truth" / f"{case}.nii.gz"))
    pd.DataFrame(rows, columns=["case", "role", "image", "label_map"]).to_csv(root / "cases.tsv", sep="\t", index=False)
    return root


def test_from_predictions_to_the_ranking(study):
    for number in (0, 1):
        here = study / f"round_{number}"
        options = ("--cases", study / "cases.tsv", "--roles", "validation", "test", "--mode", "flare22", "--cores", 1)
        result = done("evaluate.py", *options, "--predictions", here / "predictions", "--output", here / "scores.tsv")
        assert "cases scored: 3 of 3" in result.stderr
        done("summarise.py", "--scores", here / "scores.tsv", "--output", here / "summary.tsv")
    scores = read_table(study / "round_0/scores.tsv")
    assert scores.columns.tolist() == [STANDALONE_COLUMNS[0], "role", *STANDALONE_COLUMNS[1:]]
    assert scores[["case", "role"]].drop_duplicates()["role"].tolist() == ["test", "test", "validation"]
    assert read_table(study / "round_1/summary.tsv").columns.tolist() == list(SUMMARY_COLUMNS)
    tables, summaries = ([study / f"round_{n}/{name}.tsv" for n in (0, 1)] for name in ("scores", "summary"))
    outputs = "--output", study / "comparison.tsv", "--ranking", study / "ranking.tsv"
    done("compare.py", "--scores", *tables, *outputs)
    compared = read_table(study / "comparison.tsv", comparison.COLUMNS)
    assert (compared.loc[compared["label"] == 0, "difference"] > 0).all()
    ranking = read_table(study / "ranking.tsv")
    assert ranking.loc[ranking["place"] == 1, "round"].tolist() == [1, 1]
    # With the student to be deployed among the tables, as a shell's results/round_*/scores.tsv has it.
    write_table(scores, study / "round_deploy/scores.tsv")
    result = done("compare.py", "--scores", *tables, study / "round_deploy/scores.tsv", "--output", study / "again.tsv")
    assert "round_deploy/scores.tsv is left out" in result.stderr
    assert (study / "again.tsv").read_bytes() == (study / "comparison.tsv").read_bytes()
    rendered = "--output", study / "table.tsv", "--markdown", study / "table.md"
    done("render_table.py", "--summaries", *summaries, "--role", "test", *rendered)
    assert (study / "table.md").read_text().count("\n") == 4


def test_sets_stay_apart_from_predictions_to_tables(study, tmp_path):
    cases = read_table(study / "cases.tsv").assign(source=["internal", "external", "clinic"])
    write_table(cases, tmp_path / "cases.tsv")
    for number in (0, 1):
        options = "--cases", tmp_path / "cases.tsv", "--predictions", study / f"round_{number}/predictions"
        result = done("evaluate.py", *options, "--output", tmp_path / f"round_{number}/scores.tsv")
        assert "test, external, 1 of 1 cases scored, mean DSC" in result.stderr
    tables = [tmp_path / f"round_{number}/scores.tsv" for number in (0, 1)]
    assert read_table(tables[0]).columns[:4].tolist() == ["case", "role", "set", "label"]
    outputs = "--output", tmp_path / "comparison.tsv", "--ranking", tmp_path / "ranking.tsv"
    done("compare.py", "--scores", *tables, *outputs, "--pool-sets")
    for name in ("comparison", "ranking"):
        table = read_table(tmp_path / f"{name}.tsv")
        assert table["set"].unique().tolist() == ["internal", "external", "pooled", "clinic"]
    done("summarise.py", "--scores", tables[0], "--output", tmp_path / "summary.tsv", "--pool-sets")
    words = ("--summaries", tmp_path / "summary.tsv", "--role", "test", "--output", tmp_path / "table.tsv")
    done("render_table.py", *words, "--set", "pooled")
    assert read_table(tmp_path / "table.tsv")["n"].tolist() == [2]
    assert "one of the sets internal, external, pooled" in command("render_table.py", *words).stderr


def test_two_folders_are_enough(study, tmp_path):
    folders = "--truth", study / "truth", "--predictions", study / "round_1/predictions"
    done("evaluate.py", *folders, "--mode", "strict", "--output", tmp_path / "scores.tsv")
    scores = read_table(tmp_path / "scores.tsv")
    assert scores.columns.tolist() == list(STANDALONE_COLUMNS)
    assert len(scores) == 3 * 13


def test_missing_and_strange_predictions_are_named(study, tmp_path):
    predictions = tmp_path / "predictions"
    predictions.mkdir()
    (predictions / "stranger.nii.gz").touch()
    (predictions / "._case_0.nii.gz").touch()
    folders = "--truth", study / "truth", "--predictions", predictions
    result = command("evaluate.py", *folders, "--output", tmp_path / "scores.tsv")
    assert result.returncode == 2 and not (tmp_path / "scores.tsv").exists()
    assert "cases case_0.nii.gz, case_1.nii.gz, case_2.nii.gz; predictions stranger.nii.gz" in result.stderr
    write_image(sitk.ReadImage(str(study / "truth/case_1.nii.gz")), predictions / "case_1_0000.nrrd")
    result = done("evaluate.py", *folders, "--output", tmp_path / "scores.tsv")
    assert "missing predictions: 2: case_0, case_2" in result.stderr
    assert "not scored: 1: stranger.nii.gz" in result.stderr
    scores = read_table(tmp_path / "scores.tsv")
    assert (scores.loc[scores["case"] == "case_1", "DSC"] == 1).all()


def test_a_mistyped_folder_is_not_taken_for_missing_predictions(study, tmp_path):
    result = command(
        "evaluate.py", "--truth", study / "truth", "--predictions", "predicitons", "--output", tmp_path / "x"
    )
    assert result.returncode == 2
    assert "no such folder" in result.stderr


def test_files_that_cannot_be_compared_end_with_status_2_and_no_table(study, tmp_path):
    image = sitk.GetImageFromArray(np.zeros((6, 8, 10), np.uint8))
    image.SetSpacing((1.0, 1.0, 4.0))
    write_image(image, tmp_path / "case_0.nii.gz")
    folders = "--truth", study / "truth", "--predictions", tmp_path
    result = command("evaluate.py", *folders, "--output", tmp_path / "scores.tsv")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    for wanted in ("truth/case_0.nii.gz", f"{tmp_path}/case_0.nii.gz", "(1, 1, 1)", "(1, 1, 4)"):
        assert wanted in result.stderr
    assert not (tmp_path / "scores.tsv").exists()
    done("evaluate.py", *folders, "--unchecked", "--output", tmp_path / "scores.tsv")
    assert command("evaluate.py", *folders, "--unchecked", "--mode", "strict", "--output", "x").returncode == 2


def test_measuring_efficiency(study, tmp_path):
    copy = f"{sys.executable} -c 'import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])' {{image}} {{output}}"
    options = "--cases", study / "cases.tsv", "--roles", "test", "--limit", 1, "--predictions", tmp_path / "kept"
    done("measure_efficiency.py", *options, "--command", copy, "--output", tmp_path / "efficiency.tsv")
    table = read_table(tmp_path / "efficiency.tsv", efficiency.COLUMNS)
    assert table[["case", "outcome"]].values.tolist() == [["case_0", "ok"]]
    assert table["cpu"].tolist() == [cpu_name()] and "gpu" in table
    assert (tmp_path / "kept/case_0.nii.gz").exists()


def test_a_command_that_fails_for_every_scan_is_an_error_and_no_measurement(study, tmp_path):
    output = tmp_path / "efficiency.tsv"
    options = "--cases", study / "cases.tsv", "--roles", "test", "--limit", 1, "--output", output
    for code, status in (("sys.exit(2)", 2), ("os.abort()", 0)):
        failing = f"{sys.executable} -c 'import os, sys; {code}' {{image}} {{output}}"
        result = command("measure_efficiency.py", *options, "--command", failing)
        assert (result.returncode, output.exists()) == (status, not status), result.stderr
        assert ("of 1 none: failed: exit 2" in result.stderr) == bool(status)


def test_an_output_that_is_an_input_is_refused_before_anything_is_scored(study):
    folders = ("--truth", study / "truth", "--predictions", study / "round_0/predictions")
    table = ("--cases", study / "cases.tsv", *folders[2:])
    for words, output in ((folders, "truth/case_0.nii.gz"), (folders, "truth"), (table, "cases.tsv")):
        before = (study / output).is_dir() or (study / output).read_bytes()
        result = command("evaluate.py", *words, "--output", study / output)
        assert result.returncode == 2 and "a file of its own" in result.stderr and "scored" not in result.stderr
        assert before == ((study / output).is_dir() or (study / output).read_bytes())


def test_truths_of_which_some_organs_are_labelled(study, tmp_path):
    folders = "--truth", study / "truth", "--predictions", study / "round_1/predictions"
    output = "--output", tmp_path / "scores.tsv"
    result = done("evaluate.py", *folders, *output, "--labelled", "liver", "left kidney")
    scores = read_table(tmp_path / "scores.tsv")
    assert set(scores.dropna(subset="DSC")["organ"]) == {"liver", "left kidney"} and len(scores) == 3 * 13
    means = scores.groupby("label")["DSC"].mean().mean()
    assert f"3 of 3 cases scored, mean DSC {means:.4f}" in result.stderr
    table = "--cases", study / "cases.tsv", *folders[2:]
    refused = command("evaluate.py", *table, *output, "--labelled", "liver")
    assert refused.returncode == 2 and "column `organs`" in refused.stderr


def test_a_run_with_organs_of_its_own_is_not_judged_by_flare22s(study, tmp_path):
    (tmp_path / "cohort").mkdir()
    shutil.copy(study / "cases.tsv", tmp_path / "cohort")
    record = tmp_path / "experiment.json"
    words = ("--cases", tmp_path / "cohort/cases.tsv", "--predictions", study / "round_1/predictions", "--output")
    record.write_text(json.dumps({"organs": {"right lung": 1, "left lung": 2}}))
    refused = command("evaluate.py", *words, tmp_path / "scores.tsv")
    assert refused.returncode == 2 and "the run has right lung, left lung" in refused.stderr
    assert '--organs \'[{"label": 1, "name": "right lung"}, ' in refused.stderr
    record.write_text(json.dumps({"organs": {organ.name: organ.label for organ in FLARE22}}))
    done("evaluate.py", *words, tmp_path / "scores.tsv")


def test_what_is_said_of_missing_predictions_is_what_the_summary_has():
    """The strict mode scores them 0, the others leave them out."""
    rows = {"case": ["a", "b"], "label": 1, "organ": "liver", "NSD": [0.5, 0.0], "prediction_voxels": [5, None]}
    for missing, said in (
        (0.0, "2 of 2 cases scored, mean DSC 0.4000"),
        (None, "1 of 2 cases scored, mean DSC 0.8000"),
    ):
        scores = pd.DataFrame(rows | {"DSC": [0.8, missing]})
        assert means_in_words(scores).startswith(said)
        assert f"{summarise(scores)['mean'][0]:.4f}" in said
