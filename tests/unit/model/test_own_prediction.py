"""How a model labels, kept beside it."""

import json
import shutil
from unittest.mock import Mock

import pytest

import label_scan
from noisy_student.configuration.prediction_options import Prediction
from noisy_student.errors import InputError
from noisy_student.files import sha256
from noisy_student.model.own_prediction import own_prediction, write_own_prediction

IN_BOX = Prediction(step_size=0.75, windows="in_box_of_body", compile=True)
OWN = {"step_size": 0.75, "mirroring": False, "windows": "in_box_of_body"}


def test_what_changes_label_maps_is_kept_and_read_back(tmp_path):
    assert own_prediction([tmp_path]) == {}
    write_own_prediction(tmp_path, IN_BOX)
    assert own_prediction([tmp_path]) == OWN


def test_models_that_label_in_different_ways_need_to_be_told(tmp_path):
    write_own_prediction(tmp_path / "a", IN_BOX)
    write_own_prediction(tmp_path / "b", IN_BOX)
    assert own_prediction([tmp_path / "a", tmp_path / "b"]) == OWN
    with pytest.raises(InputError, match=r"windows in_box_of_body.*c: as the command line says"):
        own_prediction([tmp_path / "a", tmp_path / "c"])


@pytest.mark.parametrize("said", [{"step_size": 2}, {"windows": "near"}, {"run": "rm"}, []])
def test_what_no_model_of_this_workflow_says_is_refused(tmp_path, said):
    (tmp_path / "prediction.json").write_text(json.dumps(said))
    with pytest.raises(InputError, match=r"prediction\.json"):
        own_prediction([tmp_path])


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), (0.75, False, "in_box_of_body")),
        (("--step-size", "0.5", "--mirroring"), (0.5, True, "in_box_of_body")),
        (("--step-size", "0.5", "--no-mirroring", "--windows", "everywhere"), (0.5, False, "everywhere")),
    ],
)
def test_a_scan_is_labelled_as_the_model_labels_unless_the_command_says_otherwise(
    untrained, tmp_path, monkeypatch, flags, expected
):
    model = shutil.copytree(untrained, tmp_path / "model")
    write_own_prediction(model, IN_BOX)
    trusted = [sha256(path) for path in model.glob("fold_*/*.pth")]
    named = ("--model", model, "--image", tmp_path, "--output", tmp_path / "out/", "--device", "cpu")
    monkeypatch.setattr("sys.argv", ["label_scan.py", *map(str, named), "--trust", *trusted, *flags])
    options = label_scan.chosen_labeller(label_scan.options()).predictor.options
    assert (options.step_size, options.mirroring, options.windows) == expected and not options.compile


@pytest.fixture
def said_of(monkeypatch, capsys):
    """What is said while the labeller of a model of empty files is made, and the post-processing that it is given."""
    made = Mock()
    monkeypatch.setattr(label_scan, "require_trusted", Mock())
    monkeypatch.setattr(label_scan, "labeller_of", made)

    def said(model, image, *flags):
        (model / "fold_0").mkdir(parents=True, exist_ok=True)
        for name in ("plans.json", "dataset.json", "fold_0/checkpoint_final.pth"):
            (model / name).touch()
        named = ("--model", model, "--image", image, "--output", image / "out/", "--device", "cpu")
        monkeypatch.setattr("sys.argv", ["label_scan.py", *map(str, (*named, *flags))])
        label_scan.chosen_labeller(label_scan.options())
        return capsys.readouterr().err, made.call_args.kwargs["steps"]

    return said


def test_a_model_that_learned_from_generated_scans_says_so_of_other_scans(tmp_path, said_of):
    model = tmp_path / "results/round_2/model"
    assert said_of(model, tmp_path)[0] == ""
    record = tmp_path / "results/experiment.json"
    record.write_text(json.dumps({"cohort": {"kind": "embedded"}}))
    said, _ = said_of(model, tmp_path)
    assert said.count("\n") == 1
    assert f"warning: {model} learned from the generated scans of the embedded cohort" in said
    assert said_of(model, tmp_path / "results/cohort/Test")[0] == ""
    record.write_text(json.dumps({"cohort": {"kind": "folders"}}))
    assert said_of(model, tmp_path)[0] == ""


def test_post_processing_that_was_found_for_a_model_is_named_where_it_is_not_asked_for(tmp_path, said_of):
    found, model = tmp_path / "round_1/postprocessing.json", tmp_path / "round_1/model"
    assert said_of(model, tmp_path) == ("", ())
    found.write_text(json.dumps({"steps": [[1, 2], [1]], "organs": {}}))
    said, steps = said_of(model, tmp_path)
    assert f"not post-processed: {found} says" in said and steps == ()
    assert said_of(model, tmp_path, "--postprocessing", found) == ("", [[1, 2], [1]])
    found.write_text(json.dumps({"steps": [], "organs": {}}))
    assert said_of(model, tmp_path)[0] == ""
    (model / found.name).write_text(json.dumps({"steps": [[1, 2]]}))
    assert f"not post-processed: {model / found.name} says" in said_of(model, tmp_path)[0]
