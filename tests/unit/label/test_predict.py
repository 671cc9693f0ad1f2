"""Labelling a shard in a process of its own, which is killed at one place or another and started again."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pandas as pd
import pytest

import predict
from conftest import ROOT
from noisy_student.cohort.converted import converted_image
from noisy_student.configuration.prediction_options import Prediction
from noisy_student.plan.preprocessing import preprocess_image
from noisy_student.tables import read_table

CASES = [f"FLARE22_Tr_000{number}" for number in (1, 2, 3)]
DRIVER = """
import os, signal, sys
sys.path.insert(0, {scripts!r})
import predict
from noisy_student import images
from noisy_student.model import label_files
from noisy_student.model.predictor import Predictor

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def at_second_call(where, name, last_words):
    kept, calls = getattr(where, name), []
    def call(*arguments, **named):
        calls.append(1)
        return last_words(*arguments, **named) if len(calls) == 2 else kept(*arguments, **named)
    setattr(where, name, call)

def half_a_file(image, path, **named):
    with open(path, "wb") as stream:
        stream.write(b"half a label map")
    die()

{kill}
predict.main()
"""
PLACES = {
    "while a scan is predicted": "at_second_call(Predictor, 'predict', lambda *_: die())",
    "while a label map is written": "at_second_call(images.sitk, 'WriteImage', half_a_file)",
    "between a label map and its scores": "at_second_call(label_files, 'write_text', lambda *_: die())",
}


@pytest.fixture(scope="module")
def tables(converted, plan, tmp_path_factory):
    """The tables that a shard of three scans reads."""
    folder = tmp_path_factory.mktemp("tables")
    for case in CASES:
        preprocess_image(converted_image(converted, case), folder / "cache" / case, plan)
    grid = {name: 10 for axis in "xyz" for name in (f"size_{axis}", f"spacing_{axis}_mm")}
    columns = {
        "cases": {"role": "unlabelled", "orientation": "RAS", "sha256": "0" * 64, **grid},
        "converted": {"image": [str(converted_image(converted, case)) for case in CASES]},
        "preprocessed": {"preprocessed": [str(folder / "cache" / case) for case in CASES]},
    }
    for name, more in columns.items():
        pd.DataFrame({"case": CASES, **more}).to_csv(folder / f"{name}.tsv", sep="\t", index=False)
    return folder


def label(tables, model, folder, kill="", *more):
    """Label the shard; the process's exit status."""
    flags = [word for name in ("cases", "converted", "preprocessed") for word in (f"--{name}", tables / f"{name}.tsv")]
    where = ["--folder", folder, "--output", folder / "scores.tsv", "--shard", 0, "--shards", 1, "--device", "cpu"]
    driver = DRIVER.format(scripts=str(ROOT / "workflow/scripts"), kill=kill)
    command = [sys.executable, "-c", driver, model / "fold_0/checkpoint_final.pth", "--roles", "unlabelled"]
    run = subprocess.run(
        list(map(str, [*command, *flags, *where, *more])), check=False, capture_output=True, text=True, env=os.environ
    )
    assert run.returncode in (0, -signal.SIGKILL), run.stderr
    return run.returncode


def results(folder):
    names = ["scores.tsv", *(f"{case}.nii.gz" for case in CASES), *(f"scores/{case}.json" for case in CASES)]
    return {name: (folder / name).read_bytes() for name in names}


@pytest.fixture(scope="module")
def undisturbed(tables, untrained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    assert label(tables, untrained, folder) == 0
    return results(folder)


@pytest.mark.parametrize("place", PLACES)
def test_a_shard_killed_anywhere_ends_with_the_same_files(tables, untrained, undisturbed, tmp_path, place):
    assert label(tables, untrained, tmp_path, PLACES[place]) == -signal.SIGKILL
    assert not (tmp_path / "scores.tsv").exists()
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "scores").glob("*.json")}
    label_maps = [tmp_path / f"{path.stem}.nii.gz" for path in done]
    done |= {path: path.stat().st_mtime_ns for path in label_maps}
    assert len(label_maps) <= 1
    assert label(tables, untrained, tmp_path) == 0
    assert results(tmp_path) == undisturbed
    assert {path: path.stat().st_mtime_ns for path in done} == done


@pytest.mark.parametrize("place", [name for name in PLACES if "scan" not in name])
def test_a_case_that_was_finished_before_the_kill_is_there(tables, untrained, tmp_path, place):
    label(tables, untrained, tmp_path, PLACES[place])
    assert len(list((tmp_path / "scores").glob("*.json"))) == 1


def test_a_label_map_cut_short_afterwards_is_found_and_redone_alone(tables, untrained, undisturbed, tmp_path):
    assert label(tables, untrained, tmp_path) == 0
    damaged, untouched = (tmp_path / f"{case}.nii.gz" for case in CASES[:2])
    damaged.write_bytes(damaged.read_bytes()[:-9])
    stamp = untouched.stat().st_mtime_ns
    assert label(tables, untrained, tmp_path) == 0
    assert results(tmp_path) == undisturbed
    assert untouched.stat().st_mtime_ns == stamp


def test_the_voices_that_a_file_names_label_together(tables, untrained, tmp_path):
    model = shutil.copytree(untrained, tmp_path / "model")
    average = model / "fold_0/checkpoint_average.pth"
    shutil.copy(untrained / "fold_1/checkpoint_final.pth", average)
    (tmp_path / "voices.json").write_text(json.dumps(["checkpoint_final.pth", average.name]))
    assert label(tables, model, tmp_path, "", "--voices", tmp_path / "voices.json") == 0
    scores = read_table(tmp_path / "scores.tsv")
    assert scores.fold_agreement.notna().all() and scores.fold_agreement.min() < 1
    checkpoints = [model / "fold_0/checkpoint_final.pth", average]
    assert set(scores.model) == {predict.identity(checkpoints, Prediction(), ())}


def test_what_is_as_exact_as_asked_for_is_kept_and_what_is_less_exact_is_made_anew(tables, untrained, tmp_path):
    assert label(tables, untrained, tmp_path, "", "--backend", "torch") == 0
    records = [tmp_path / f"scores/{case}.json" for case in CASES]
    by_torch = [record.read_text() for record in records]
    assert all("openvino" not in record for record in by_torch)
    records[0].write_text(by_torch[0].replace("scan 0", "scan 1"))
    records[1].write_text(by_torch[1].replace("0" * 64, f"{'0' * 64}, by openvino bfloat16"))
    # Without training more classes are equally likely, between which rounding decides.
    tolerant = "from noisy_student.model import backend; backend.MAY_DIFFER['float32'] = 1e-3"
    assert label(tables, untrained, tmp_path, tolerant, "--precision", "float32") == 0
    made_from = [json.loads(record.read_text())["made_from"] for record in records]
    assert [text.rpartition(", by ")[2] for text in made_from[:2]] == ["openvino float32"] * 2
    assert records[2].read_text() == by_torch[2]
