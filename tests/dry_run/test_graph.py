"""Which jobs there are, from dry runs: the graph follows rounds, folds and shards, never scans."""

import json
import re
import shlex
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from conftest import ROOT
from noisy_student.files import sha256
from noisy_student.organs import FLARE22
from project import Project, job_counts

ROUND = {"network": "coarse"}
PER_SCAN_STAGES = {"convert", "preprocess", "predict", "pseudo_label"}


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


def planned(project, rounds=3, shards=2, folds=(0,), splits=3, targets=(), **more):
    project.configure(rounds=[ROUND] * rounds, shards=shards, training={"splits": splits, "folds": list(folds)}, **more)
    return project.planned(*targets)


def test_jobs_number_with_rounds_folds_and_shards(project):
    assert planned(project, rounds=4, shards=5, folds=(0, 1, 2)) == {
        "embedded_cohort": 1,
        "case_table": 1,
        "room": 1,
        "convert": 5,
        "converted": 1,
        "fingerprint": 1,
        "plans": 1,
        "network_figures": 1,
        "preprocess": 5,
        "preprocessed": 1,
        "training_set": 4,
        "train": 4 * 3,
        "postprocessing": 4,
        "judge": 4,
        "pseudo_label": 3 * 5,
        "pseudo_label_scores": 3,
        "pseudo_label_truth": 3,
        "pseudo_label_calibration": 3,
        "labelled_measures": 1,
        "label_measures": 3 * 5,
        "select": 3,
        "predict": 4 * 5,
        "prediction_scores": 4,
        "evaluate": 4,
        "summarise": 4,
        "efficiency": 4,
        "compare": 1,
        "run_record": 1,
        "examples": 1,
        "volumes": 5,
        "report": 1,
        "all": 1,
    }


def test_without_disk_for_volumes_none_are_made(project):
    assert "volumes" not in planned(project, report={"volumes_mb": 0})


def test_jobs_do_not_number_with_scans(project):
    few = planned(project)
    many = planned(project, cohort={"embedded": {"unlabelled": 200_000}})
    assert many == few


def test_the_check_does_nothing_but_look(project):
    assert planned(project, targets=("check",)) == {"embedded_cohort": 1, "case_table": 1, "room": 1, "check": 1}


@pytest.mark.parametrize(("label_maps", "labelled_by"), [("predictions", "predict"), ("pseudo_labels", "pseudo_label")])
@pytest.mark.parametrize("format", ["nii.gz", "seg.nrrd", "dicom-seg"])
def test_label_maps_leave_without_any_judging(project, label_maps, labelled_by, format):
    jobs = planned(project, targets=(f"results/round_1/exported/{label_maps}/{format}.tsv",))
    assert jobs["export_label_maps"] == 1 and jobs[labelled_by] == 2 and "evaluate" not in jobs


def test_networks_leave_as_a_folder_for_each_runtime(project):
    jobs = planned(project, rounds=2, targets=("results/round_1/openvino/", "results/round_0/onnx"))
    assert jobs["export_networks"] == 2 and "export" not in jobs


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_rounds_target_builds_up_to_that_round(project, number):
    jobs = planned(project, targets=(f"round_{number}",))
    assert jobs["train"] == jobs["evaluate"] == number + 1
    assert jobs.get("select", 0) == number
    assert "report" not in jobs and jobs[f"round_{number}"] == 1


def test_rounds_may_use_different_networks(project):
    jobs = planned(
        project,
        networks={"fine": {"spacing_mm_zyx": [5, 4, 4], "patch_size_zyx": [32, 64, 64]}},
        targets=("round_0",),
    )
    assert jobs["plans"] == 1
    project.configure(networks={"fine": {"encoder": "residual"}}, rounds=[ROUND, {"network": "fine"}])
    jobs = project.planned()
    assert jobs["plans"] == jobs["network_figures"] == jobs["preprocessed"] == 2


def test_soft_labels_are_kept_where_a_round_learns_from_them(project):
    surface = {"background": 0.9, "surface_mm": 10}
    rounds = [ROUND, ROUND, ROUND | {"targets": "soft"}, ROUND | {"voxel_confidence": surface}]
    project.configure(rounds=rounds, targets="hard")
    said = project.run("--dry-run").stdout.splitlines()
    labelling = [line for line in said if "predict.py" in line and "--voxels" in line]
    assert sorted("--voxels --soft" in line for line in labelling) == [False, True, True]
    training_sets = [line for line in said if "make_training_set.py" in line]
    assert sum(line.count(" --soft") for line in training_sets) == 1
    measured = [line for line in training_sets if "--labelled results/cohort/labelled_measures.tsv" in line]
    assert len(measured) == 1 and "--surface-mm 10" in measured[0]


def test_what_labelling_costs_is_measured_with_the_post_processing_of_predictions(project):
    project.configure(rounds=[ROUND], postprocessing={"predictions": True}, device="cpu")
    said = project.run("--dry-run", "results/round_0/efficiency.tsv").stdout.splitlines()
    [measured] = [line for line in said if "measure_efficiency.py" in line]
    assert " --postprocessing results/round_0/postprocessing.json" in measured
    assert measured.count(" --device cpu") == 2


def test_what_teachers_from_elsewhere_cost_is_measured_in_the_labels_of_the_table(project, untrained):
    trusted = [sha256(path) for path in sorted(untrained.glob("fold_*/*.pth"))]
    second = shutil.copytree(untrained, project.folder / "second")
    teachers = {"model": [str(untrained), str(second)], "sha256": trusted}
    project.configure(rounds=[teachers, ROUND], selection="paper")
    said = project.run("--dry-run", "results/round_0/efficiency.tsv").stdout.splitlines()
    [measured] = [line for line in said if "measure_efficiency.py" in line]
    words = shlex.split(measured)
    command = shlex.split(words[words.index("--command") + 1])
    given = command[command.index("--model") + 1 :]
    assert given[:3] == ["results/round_0/taken/1", "results/round_0/taken/2", "--organs"] and len(given) == 4
    assert [organ["name"] for organ in json.loads(given[3])] == [organ.name for organ in FLARE22]


@pytest.mark.parametrize("predictions", [True, False])
def test_a_model_leaves_with_the_post_processing_that_its_scores_are_after(project, predictions):
    project.configure(rounds=[ROUND], postprocessing={"predictions": predictions})
    said = project.run("--dry-run", "results/round_0/model.zip").stdout
    [packed] = [line for line in said.splitlines() if "export_model.py" in line]
    [job] = [job for job in said.split("\nrule ") if job.startswith("export:")]
    inputs = next(line for line in job.splitlines() if line.strip().startswith("input:"))
    assert (" --postprocessing results/round_0/postprocessing.json" in packed) == predictions
    assert ("results/round_0/postprocessing.json" in inputs) == predictions


def test_the_paper_and_what_is_best_at_full_size(project):
    """2100 scans as the challenge's archives unpack, empty here: a dry run looks at names alone."""
    data = project.folder / "data/FLARE22"
    labelled, validation = data / "Training/FLARE22_LabeledCase50", data / "Validation"
    files = [labelled / f"images/FLARE22_Tr_{n:04}_0000.nii.gz" for n in range(1, 51)]
    files += [labelled / f"labels/FLARE22_Tr_{n:04}.nii.gz" for n in range(1, 51)]
    for first in (1, 1001):
        folder = data / f"Training/FLARE22_UnlabeledCase{first}-{first + 999}"
        files += [folder / f"Case_{n:05}_0000.nii.gz" for n in range(first, first + 1000)]
    files += [validation / f"images/FLARETs_{n:04}_0000.nii.gz" for n in range(1, 51)]
    files += [validation / f"labels/FLARETs_{n:04}.nii.gz" for n in range(1, 51)]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    overlay = {}
    jobs = {}
    for name in ("flare22.yaml", "flare22_best.yaml"):
        update_config(overlay, yaml.safe_load((ROOT / "config" / name).read_bytes()))
        project.configure(**overlay)
        jobs[name] = project.planned()
    # Each with a small student more, of one fold, that the last model labels for.
    assert jobs["flare22.yaml"]["train"] == 2 + 1 and jobs["flare22_best.yaml"]["train"] == 3 * 5 + 1
    assert [jobs[name]["pseudo_label"] for name in jobs] == [2 * 20, 3 * 20]


def test_balanced_bounds_need_the_labelled_scans_volumes(project):
    balanced = {"organ": "balanced", "background": 0.99}
    project.configure(rounds=[ROUND, ROUND, ROUND | {"voxel_confidence": balanced}], voxel_confidence=0.5)
    said = project.run("--dry-run").stdout.splitlines()
    measured = [line for line in said if "make_training_set.py" in line and "--labelled" in line]
    assert len(measured) == 1 and "--voxel-confidence balanced 0.99" in measured[0]
    at = next(number for number, line in enumerate(said) if "results/round_2/dataset/bounds.tsv" in line)
    (inputs,) = [line for line in said[:at][-2:] if "input:" in line]
    assert "results/cohort/labelled_measures.tsv" in inputs


def test_a_teacher_labels_and_fills_scans_in_which_only_some_organs_are_labelled(project):
    for name in ("a", "b", "t", "u", "of_a", "of_b", "of_t"):
        (project.folder / name).mkdir()
    *entries, judged = [{"images": name, "label_maps": f"of_{name}"} for name in "abt"]

    def said(**what):
        labelled = [entries[0], entries[1] | what]
        folders = {"labelled": labelled, "unlabelled": [{"images": "u"}], "test": [judged]}
        project.configure(rounds=[ROUND, ROUND], cohort={"kind": "folders", "folders": folders})
        return project.run("--dry-run").stdout

    whole, partly = said(), said(organs=["liver"])
    assert job_counts(whole) == job_counts(partly) and job_counts(whole)["pseudo_label"] == 1
    fills = ("--fewer-than", "--filling", "--cases results/cohort/cases.tsv --filling")
    assert not any(word in whole for word in fills) and "filling.tsv" not in whole
    assert "--roles labelled --hand-labels" in whole
    names = ("predict", "gather", "measure_label_maps", "make_training_set", "select_pseudo_labels")
    commands = {name: [line for line in partly.splitlines() if f"/{name}.py" in line] for name in names}
    # In some scans both may count as not labelled, which the case table alone says.
    numbers = {organ.name: organ.label for organ in FLARE22}
    kidneys = said(labels=numbers | {"left kidney": numbers["right kidney"]})
    assert job_counts(kidneys) == job_counts(whole)
    of_training_sets = [line for line in kidneys.splitlines() if "/make_training_set.py" in line]
    assert all("--cases results/cohort/cases.tsv" in line for line in of_training_sets)
    to_label = "--roles unlabelled --fewer-than 13"
    for name in names[:3]:
        assert sum(to_label in line for line in commands[name]) == 1, name
    assert sum("--roles labelled --hand-labels" in line for line in commands["measure_label_maps"]) == 1
    filling = "--filling results/round_1/filling.tsv"
    assert all(filling in line for line in commands["select_pseudo_labels"])
    teacher, student = commands["make_training_set"]
    assert "--cases results/cohort/cases.tsv" in teacher and "--filling" not in teacher
    assert f"--cases results/cohort/cases.tsv {filling}" in student


@pytest.fixture
def model(untrained, tmp_path):
    """A model from elsewhere with two folds, and the checksums of its checkpoints."""
    folder = shutil.copytree(untrained, tmp_path / "model")
    return {"model": str(folder), "sha256": [sha256(path) for path in sorted(folder.glob("fold_*/*.pth"))]}


def test_a_teacher_from_elsewhere_is_taken_and_nothing_of_round_0_is_trained(project, model):
    trained = planned(project, rounds=2)
    project.configure(rounds=[model, ROUND], shards=2, training={"splits": 3, "folds": [0]}, selection="paper")
    jobs = project.planned()
    fewer = {rule: number - jobs.get(rule, 0) for rule, number in trained.items() if number != jobs.get(rule, 0)}
    assert fewer == dict.fromkeys(("training_set", "train", "postprocessing", "judge"), 1)
    assert jobs.keys() - trained.keys() == {"take_teachers"}
    assert project.planned("round_0")["take_teachers"] == 1 and "preprocess" not in project.planned("round_0")
    said = project.run("--dry-run").stdout
    taken = [f"results/round_0/taken/1/fold_{fold}/checkpoint_final.pth" for fold in (0, 1)]
    assert f"output: results/round_0/verdict.json, {', '.join(taken)}" in said
    assert said.count("results/round_0/taken/1 --organs") == 1
    assert not [line for line in said.splitlines() if "round_0/labeller" in line or "round_0/model" in line]


def test_several_teachers_label_in_one_job(project, model, tmp_path):
    both = {"model": [model["model"], str(shutil.copytree(model["model"], tmp_path / "b"))], "sha256": model["sha256"]}
    project.configure(rounds=[both, ROUND], selection="paper", postprocessing={"pseudo_labels": True})
    said = project.run("--dry-run").stdout
    assert said.count("results/round_0/taken/1 results/round_0/taken/2 --organs") == 1
    assert job_counts(said)["pseudo_label"] == job_counts(said)["take_teachers"] == 1


def test_labels_of_a_teacher_from_elsewhere_are_matched_with_aliases_too_where_there_are_own_ones(project, model):
    liver, *others = map(asdict, FLARE22)
    given = {"rounds": [model, ROUND], "selection": "paper"}
    project.configure(**given, organs=[liver | {"aliases": ["Leber"]}, *others])
    said = project.run("--dry-run", "round_1").stdout.splitlines()
    matched = [line for line in said if "/take_model.py" in line or ("/predict.py" in line and "--organs" in line)]
    assert len(matched) > 1 and all('"aliases": ["Leber"]' in line for line in matched)
    project.configure(**given)
    assert '"aliases": ["oesophagus"' not in project.run("--dry-run", "results/round_0/verdict.json").stdout


@pytest.mark.parametrize("exported", ["model.zip", "openvino"])
def test_a_teacher_from_elsewhere_is_passed_on_as_it_is(project, model, exported):
    project.configure(rounds=[model, ROUND], selection="paper")
    run = project.run("--dry-run", f"results/round_0/{exported}")
    assert run.returncode and f"round 0 is the model {model['model']}: pass that on" in run.stdout


def test_a_training_may_begin_with_another_models_weights(project, model):
    project.configure(rounds=[ROUND, ROUND | {"start": model}])
    jobs = project.planned()
    assert jobs["take_first_weights"] == 1 and jobs["train"] == 2 and "take_teachers" not in jobs
    said = project.run("--dry-run", "results/round_1/model.zip").stdout
    assert f'"start": "the weights of {Path(model["model"]).name} (SHA-256 {model["sha256"][0]}' in said
    assert "--start-from-model results/round_1/first_weights/fold_0/checkpoint_final.pth" in said


def test_a_training_may_begin_with_the_weights_of_an_earlier_round_fold_by_fold(project):
    rounds = [ROUND, ROUND, ROUND | {"start": {"round": 0}}]
    project.configure(rounds=rounds, training={"splits": 2, "folds": [0, 1]})
    checkpoint = "results/round_2/model/fold_1/checkpoint_final.pth"
    said = project.run("--dry-run", checkpoint, "results/round_2/model.zip").stdout
    assert '"start": "the weights of round 0"' in said
    [job] = [job for job in said.split("\nrule ") if job.startswith("train:") and f"output: {checkpoint}" in job]
    first = "results/round_0/model/fold_1/checkpoint_final.pth"
    inputs = next(line for line in job.splitlines() if line.strip().startswith("input:"))
    assert inputs.endswith(f", {first}") and f"--start-from-model {first} " in job
    assert "take_first_weights" not in job_counts(said)


def test_voices_add_no_job_and_reach_the_labelling_through_the_verdict(project):
    plain = planned(project)
    voices = {"voices": ["final", "average", "thirds"]}
    own = ROUND | {"training": {"voices": ["average"]}}
    project.configure(rounds=[ROUND, own, ROUND], shards=2, training={"splits": 3, "folds": [0]} | voices)
    assert project.planned() == plain
    said = project.run("--dry-run", "round_2").stdout
    assert """--voices '[["final", "average", "thirds"], ["average"]]'""" in said
    for number in (1, 2):
        voices_json = f"results/round_{number - 1}/labeller/voices.json"
        labelled = [line for line in said.splitlines() if "predict.py" in line and f"--voices {voices_json}" in line]
        assert len(labelled) == 2 and all(f"round_{number}/pseudo_labels" in line for line in labelled)
    assert not [line for line in said.splitlines() if "--roles validation" in line and "--voices" in line]


def test_a_model_that_is_not_trusted_stops_before_any_job(project, model):
    project.configure(rounds=[model | {"sha256": model["sha256"][:1]}, ROUND], selection="paper")
    run = project.run("--dry-run")
    assert run.returncode and f"sha256: [{', '.join(model['sha256'])}]" in run.stdout
    assert "Job stats" not in run.stdout and "Traceback" not in run.stdout


def test_every_rule_has_a_docstring_a_log_and_an_environment(project):
    listed = project.run("--list-rules").stdout
    for rule in (*PER_SCAN_STAGES, "train", "select", "evaluate", "report"):
        assert re.search(rf"^{rule} \(.+\)$", listed, re.MULTILINE), f"{rule} has no docstring"
    for path in (project.workflow / "workflow/rules").glob("*.smk"):
        for text in path.read_text().split("\nrule ")[1:]:
            assert "    log:" in text and "    conda:" in text, f"{path.name}: {text.splitlines()[0]}"


def test_a_wrong_configuration_stops_before_any_job_with_every_error(project):
    project.configure(sed=1, shards=0)
    run = project.run("--dry-run")
    assert run.returncode != 0
    assert "sed: no such key" in run.stdout and "shards" in run.stdout and "2 error(s)" in run.stdout
    assert f"correct these keys in {project.folder}/overlay.yaml, " in run.stdout
    assert "Job stats" not in run.stdout
