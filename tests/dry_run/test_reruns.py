"""What a change of files, places or settings would run again, from dry runs after a finished run.

The run is finished with Snakemake's own record of it, but its files hold no more than their names: what is planned
depends on their dates and checksums and on the record, not on what they mean.
"""

import json
import os
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

import conda_command
from conftest import ROOT
from finished_run import CASE_TABLE, CASES, complete
from noisy_student.cohort.folder_state import state_of_scans
from noisy_student.configuration.experiment import read_configuration
from noisy_student.files import sha256, write_text
from noisy_student.keeping.depends import Depends
from noisy_student.organs import FLARE22
from noisy_student.running import began_with
from project import BIN, Checkout, job_counts

ROUND = {"network": "coarse"}
BASE = {"rounds": [ROUND] * 3, "shards": 2}
# What follows from the selection of a round, in that round.
AFTER_SELECTION = {
    **{"training_set": 1, "train": 1, "postprocessing": 1, "judge": 1},
    **{"predict": 2, "prediction_scores": 1, "evaluate": 1, "summarise": 1},
}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    project = Checkout(tmp_path_factory.mktemp("finished") / "project")
    complete(project, **BASE)
    return project


@pytest.fixture
def finished(template, tmp_path):
    """A finished run of its own for each test, all dates kept."""
    project = Checkout(tmp_path / "project", **BASE)
    for part in ("results", ".snakemake"):
        shutil.copytree(template.folder / part, project.folder / part)
    return project


def touch(folder, pattern):
    paths = [path for path in folder.rglob(pattern) if path.is_file() and ".snakemake" not in path.parts]
    assert paths
    for path in paths:
        os.utime(path)


def append(path, text):
    path.write_text(path.read_text() + text)


# What must not run anything again.


def test_nothing_is_left_to_do(finished):
    assert finished.planned() == {}


def test_files_that_are_touched_are_no_jobs_with_their_times(finished):
    assert not (finished.folder / "results/jobs.tsv").exists()


def test_touched_and_edited_scripts_train_nothing_anew(finished):
    touch(finished.folder / "workflow/scripts", "*.py")
    for name in ("train.py", "predict.py", "select_pseudo_labels.py", "noisy_student/train/trainer.py"):
        append(finished.folder / "workflow/scripts" / name, "\nprint('edited')\n")
    assert finished.planned() == {}


def test_an_edited_rule_trains_nothing_anew(finished):
    rules = finished.folder / "workflow/rules/train.smk"
    rules.write_text(rules.read_text().replace("train.py", "./train.py"))
    assert finished.planned() == {}


def test_comments_train_nothing_anew(finished):
    for path in ("envs/nnunet.yaml", "config/config.yaml", "overlay.yaml", "profiles/venv/config.yaml"):
        append(finished.folder / path, "\n# a comment\n")
    assert finished.planned() == {}


def test_a_moved_folder_trains_nothing_anew(finished):
    finished.folder = finished.folder.rename(finished.folder.with_name("moved"))
    assert finished.planned() == {}


def test_git_checkout_trains_nothing_anew(finished):
    def git(*arguments):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(("git", *identity, *arguments), cwd=finished.folder, check=True, capture_output=True)

    (finished.folder / ".gitignore").write_text("results/*\nlogs/\n.snakemake/\n")
    git("init", "--initial-branch=main")
    git("add", ".")
    git("commit", "--message=one")
    git("checkout", "-b", "other")
    for path in finished.folder.glob("workflow/**/*.py"):
        append(path, "\n# other\n")
    append(finished.folder / "config/config.yaml", "\n# other\n")
    git("commit", "--all", "--message=two")
    git("checkout", "main")
    assert finished.planned() == {}
    git("checkout", "other")
    assert finished.planned() == {}


def test_results_on_another_disk_train_nothing_anew(finished, tmp_path):
    # Copied without their dates, so that some inputs are younger than what was made from them.
    results = finished.folder / "results"
    other = shutil.copytree(results, tmp_path / "other_disk/results", copy_function=shutil.copyfile)
    touch(other, "cases.tsv")
    shutil.rmtree(results)
    results.symlink_to(other)
    assert finished.planned() == {}


def test_another_way_to_run_trains_nothing_anew(finished, tmp_path):
    conda_command.install_command(tmp_path / "conda")
    path = f"{tmp_path}/conda/bin:{BIN}:{os.environ['PATH']}"
    for profile in ((), ("--workflow-profile", "profiles/slurm")):
        assert finished.planned(profile=profile, PATH=path) == {}


def test_other_cores_gpus_and_log_levels_train_nothing_anew(finished):
    assert finished.planned("--cores", "16", "--resources", "gpu=4", "--set-threads", "train=1") == {}
    assert finished.planned("--verbose", "--set-resources", "train:mem_mb=1", "train:device='cuda'") == {}


def test_another_device_trains_nothing_anew(finished):
    finished.configure(**BASE, device="cpu")
    assert finished.planned("round_2") == {}


def test_saving_more_often_trains_nothing_anew(finished):
    finished.configure(**BASE, training={"checkpoint_every_epochs": 7})
    assert finished.planned("round_2") == {}


# What must run again, and only that.


def test_other_epochs_train_every_round_anew_but_preprocess_nothing(finished):
    finished.configure(**BASE, training={"epochs": 13})
    jobs = finished.planned()
    assert jobs["train"] == 3 and jobs["predict"] == 6 and jobs["pseudo_label"] == 4 and jobs["report"] == 1
    assert not {"case_table", "convert", "preprocess", "plans"} & set(jobs)


def test_other_epochs_of_the_last_round_leave_the_rounds_before(finished):
    finished.configure(rounds=[ROUND, ROUND, ROUND | {"training": {"epochs": 13}}], shards=2)
    jobs = finished.planned()
    assert jobs["train"] == 1 and jobs["predict"] == 2 and "pseudo_label" not in jobs and "select" not in jobs


def test_another_spacing_preprocesses_and_trains_anew_but_converts_nothing(finished):
    finished.configure(**BASE, networks={"coarse": {"spacing_mm_zyx": [9, 6, 6]}}, replace=True)
    jobs = finished.planned()
    assert jobs["plans"] == 1 and jobs["preprocess"] == 2 and jobs["train"] == 3
    assert not {"case_table", "convert", "fingerprint"} & set(jobs)


def test_another_threshold_selects_and_trains_the_students_anew_but_never_the_teacher(finished):
    finished.configure(**BASE, selection="confident")
    jobs = finished.planned()
    assert jobs["select"] == 2 and jobs["train"] == 2
    # The first student's teacher is as it was.
    assert jobs["pseudo_label"] == 2


def test_another_tolerance_judges_anew_and_trains_nothing(finished):
    table = [asdict(organ) | {"colour": "#123456", "tolerance_mm": 1.0} for organ in FLARE22]
    finished.configure(**BASE, organs=table)
    jobs = finished.planned()
    assert jobs["evaluate"] == 3
    assert not jobs.keys() & {"case_table", "fingerprint", "preprocess", "train", "pseudo_label", "select"}


def test_pooled_sets_are_summarised_and_compared_anew_but_nothing_is_judged_anew(finished):
    finished.configure(**BASE, evaluation={"pool_sets": True})
    jobs = finished.planned()
    assert jobs["summarise"] == 3 and jobs["compare"] == jobs["report"] == 1
    assert not jobs.keys() & {"evaluate", "predict", "train", "select"}


def test_other_scans_begin_at_the_cohort(finished):
    finished.configure(**BASE, seed=2)
    refused = finished.run("--dry-run")
    assert refused.returncode and "seed 1 → 2" in refused.stdout and "--config replace=true" in refused.stdout
    jobs = finished.planned("--config", "replace=true")
    assert jobs["embedded_cohort"] == jobs["case_table"] == 1 and jobs["convert"] == 2 and jobs["train"] == 3


def test_another_answer_to_a_collapse_judges_anew_and_never_trains_the_teacher_anew(finished):
    finished.configure(**BASE, collapse={"policy": "stop"})
    jobs = finished.planned()
    assert jobs["judge"] == 3 and jobs["train"] == 2 and "preprocess" not in jobs
    assert finished.planned("results/round_0/verdict.json") == {"judge": 1}


def test_a_selection_edited_by_hand_trains_its_student_anew(finished):
    append(finished.folder / "results/round_2/selection.tsv", "one case more\n")
    assert finished.planned("round_2") == {**AFTER_SELECTION, "round_2": 1}


@pytest.fixture
def own_scans(tmp_path):
    """A finished run on folders of one's own."""
    return with_own_scans(tmp_path / "project", **BASE)


def with_own_scans(folder, **overlay):
    project = Checkout(folder)
    for name in ("images", "label_maps", "unlabelled", "test", "truth"):
        (project.folder / "scans" / name).mkdir(parents=True)
        (project.folder / "scans" / name / "a.nii.gz").write_text(name)
    (project.folder / "scans/unlabelled/plain.nii").write_text("not compressed")
    places = (("images", "label_maps"), ("test", "truth"))
    labelled, test = ({"images": f"scans/{images}", "label_maps": f"scans/{maps}"} for images, maps in places)
    folders = {"labelled": [labelled], "unlabelled": [{"images": "scans/unlabelled"}], "test": [test]}
    complete(project, **overlay, cohort={"kind": "folders", "folders": folders})
    return project


def record_trainings(project, monkeypatch):
    """What each training of the finished run says of itself, as if it had been trained with what is wanted."""
    monkeypatch.chdir(project.folder)
    values = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    update_config(values, yaml.safe_load(Path("overlay.yaml").read_text()))
    configuration = read_configuration(values)
    depends = Depends(configuration, lambda role: state_of_scans(configuration.cohort, role, configuration.seed))
    for number in range(len(configuration.rounds)):
        folder = Path(f"results/round_{number}/model/fold_0")
        (folder / "training.json").write_text(json.dumps({"settings": configuration.training_of(number)}))
        (folder / "depends.json").write_text(json.dumps(depends.training(number)))
        (folder / "progress.tsv").write_text("epoch\tseconds\n0\t7200\n")


KEPT = "Kept, though listed as jobs, as it does not depend on them:"


def test_new_unlabelled_scans_keep_the_teacher_and_train_the_students_anew(own_scans, monkeypatch):
    record_trainings(own_scans, monkeypatch)
    assert KEPT not in own_scans.run("--dry-run").stdout
    for name in "bcdef":
        (own_scans.folder / f"scans/unlabelled/{name}.nii.gz").write_text(name)
    run = own_scans.run("--dry-run")
    jobs = job_counts(run.stdout)
    assert jobs["case_table"] == 1 and jobs["convert"] == jobs["preprocess"] == 2 and jobs["pseudo_label"] == 4
    assert f"Other unlabelled scans than before. {KEPT}" in run.stdout
    assert "the training of round 0, fold 0; label maps by the same model of the same scan" in run.stdout
    for number in (1, 2):
        begins = f"round {number}, fold 0: begins anew, unless what it learns from turns out the same (other unlabelled"
        assert begins in run.stdout.replace("another teacher; ", "")


def test_new_test_scans_are_predicted_and_train_nothing(own_scans, monkeypatch):
    record_trainings(own_scans, monkeypatch)
    for folder in ("test", "truth"):
        (own_scans.folder / f"scans/{folder}/new.nii.gz").write_text(folder)
    run = own_scans.run("--dry-run")
    assert job_counts(run.stdout)["predict"] == 6 and "begins anew" not in run.stdout
    assert "the training of round 0, fold 0; round 1, fold 0; round 2, fold 0;" in run.stdout


def test_a_new_or_replaced_scan_begins_at_the_case_table(own_scans):
    unlabelled = own_scans.folder / "scans/unlabelled"
    (unlabelled / "b.nii.gz").write_text("new")
    jobs = own_scans.planned()
    assert jobs["case_table"] == 1 and jobs["convert"] == 2 and jobs["train"] == 3
    (unlabelled / "b.nii.gz").unlink()
    assert own_scans.planned() == {}
    (unlabelled / "a.nii.gz").write_text("replaced")
    assert own_scans.planned() == jobs


def test_a_scan_that_was_corrected_in_its_place_is_said_where_nothing_checks_it(own_scans):
    said = "1 file(s) of scans were written after the scans were checked, such as plain.nii."
    assert said not in own_scans.run("--dry-run").stdout
    os.utime(own_scans.folder / "scans/unlabelled/plain.nii", (2**33, 2**33))
    run = own_scans.run("--dry-run")
    assert said in run.stdout and job_counts(run.stdout) == {}, run.stdout
    assert said not in own_scans.run("--dry-run", "-R", "case_table").stdout


def test_two_numbers_that_are_exchanged_are_others(tmp_path):
    """Snakemake compares parameters without their names."""
    training = {"training": {"splits": 4, "folds": [0]}, "seed": 3}
    project = with_own_scans(tmp_path / "project", rounds=[ROUND], **training)
    kept = yaml.safe_load((project.folder / "overlay.yaml").read_text())
    training_set = "results/round_0/dataset/training_set.tsv"
    assert project.planned(training_set) == {}
    project.configure(**kept | {"training": {"splits": 3, "folds": [0]}, "seed": 4, "replace": True})
    assert project.planned(training_set) == {"training_set": 1}
    measured = yaml.safe_load((ROOT / "config/config.yaml").read_text())["efficiency"]
    scans, time_limit_s = measured.values()
    project.configure(**kept | {"efficiency": {"scans": time_limit_s, "time_limit_s": scans}})
    assert project.planned("results/round_0/efficiency.tsv") == {"efficiency": 1}


def test_a_job_on_a_cluster_takes_scans_as_they_were_when_the_run_began(own_scans):
    """It says beside its training what that is made from; scans may have come since."""
    job = ("--mode", "remote", "--force", "--nolock", "--no-hooks", "--target-jobs", "train:round=0,fold=0")
    job += ("--allowed-rules", "train", "--dry-run", "--printshellcmds")
    began = json.dumps({"labelled": "as they were"})
    run = own_scans.run(*job, NOISY_STUDENT_SCANS=began, NOISY_STUDENT_CORRECTED="{}")
    assert run.returncode == 0 and '"labelled scans": "as they were"' in run.stdout, run.stdout


def test_a_job_on_a_cluster_has_the_configuration_with_which_the_run_began(own_scans, monkeypatch):
    """Persons edit the file meanwhile, for another experiment."""
    job = ("--mode", "remote", "--force", "--nolock", "--no-hooks", "--target-jobs", "train:round=0,fold=0")
    job += ("--allowed-rules", "train", "--dry-run", "--printshellcmds")
    began = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    update_config(began, yaml.safe_load((own_scans.folder / "overlay.yaml").read_text()))
    began["training"]["epochs"] = 77
    began_with.say("", began)
    told = {began_with.VARIABLE: os.environ[began_with.VARIABLE], "NOISY_STUDENT_CORRECTED": "{}"}
    monkeypatch.delenv(began_with.VARIABLE)
    assert '"epochs": 77' in own_scans.run(*job, **told).stdout
    assert '"epochs": 24' in own_scans.run(*job, NOISY_STUDENT_CORRECTED="{}").stdout


def test_a_start_clears_away_what_earlier_configurations_left(own_scans):
    """Folds that are not trained any more would label, and corrections that were taken away would be reported."""
    model, here = own_scans.folder / "results/round_1/model", own_scans.folder / "results/round_1"
    for fold in (0, 3):
        write_text(model / f"fold_{fold}/training.json", f'{{"fold": {fold}}}')
        write_text(model / f"fold_{fold}/checkpoint_final.pth", "weights")
    for name in ("corrections.tsv", "corrections_by_organ.tsv", "corrected_findings.tsv"):
        write_text(here / name, "case")
    own_scans.run("--dry-run", "--force", CASE_TABLE)
    assert (model / "fold_3/training.json").exists() and (here / "corrections.tsv").exists()
    checking = own_scans.folder / "workflow/scripts/make_case_table.py"
    checking.write_text(f"import pathlib\npathlib.Path({CASE_TABLE!r}).write_text({CASES!r})\n")
    run = own_scans.run("--force", CASE_TABLE)
    assert run.returncode == 0 and "results/round_1/model/fold_3 is none of `training.folds`" in run.stdout, run.stdout
    assert not list(model.glob("fold_3/[!.]*")) and (model / "fold_0/checkpoint_final.pth").exists()
    assert list(own_scans.folder.glob("results/superseded/round_1/model/fold_3/*/checkpoint_final.pth"))
    assert not list(here.glob("correct*.tsv"))


def test_a_check_of_new_scans_leaves_the_start_to_say_which_trainings_stay(own_scans, monkeypatch):
    record_trainings(own_scans, monkeypatch)
    (own_scans.folder / "scans/unlabelled/b.nii.gz").write_text("b")
    # In place of the script that checks: the table is there.
    checking = own_scans.folder / "workflow/scripts/make_case_table.py"
    checking.write_text(f"import pathlib\npathlib.Path({CASE_TABLE!r}).write_text({CASES!r})\n")
    checked = own_scans.run(CASE_TABLE)
    assert checked.returncode == 0, checked.stdout
    run = own_scans.run("--dry-run")
    assert f"Other unlabelled scans than before. {KEPT}" in run.stdout


def test_scans_copied_to_another_disk_train_nothing_anew(own_scans, tmp_path):
    scans = own_scans.folder / "scans"
    other = shutil.copytree(scans, tmp_path / "other_disk", copy_function=shutil.copyfile)
    shutil.rmtree(scans)
    scans.symlink_to(other)
    assert own_scans.planned() == {}


# Single rounds.


def test_a_round_by_its_target(finished):
    shutil.rmtree(finished.folder / "results/round_2")
    assert finished.planned("round_2") == {
        "pseudo_label": 2,
        "pseudo_label_scores": 1,
        "label_measures": 2,
        "select": 1,
        **AFTER_SELECTION,
        "round_2": 1,
    }
    assert finished.planned("round_1") == {}


def test_a_selection_with_another_threshold_without_training_the_teacher(finished):
    finished.configure(**BASE, selection="confident")
    assert finished.planned("results/round_1/selection.tsv") == {"select": 1}
    assert finished.planned("round_1") == {"select": 1, **AFTER_SELECTION, "round_1": 1}


def test_one_shard(finished):
    shard = "results/round_1/shards/pseudo_label_scores_1.tsv"
    assert finished.planned("--force", shard) == {"pseudo_label": 1}
    jobs = finished.planned("round_1", "--forcerun", shard)
    scores = {"pseudo_label": 1, "pseudo_label_scores": 1, "label_measures": 1}
    assert jobs == {**scores, "select": 1, **AFTER_SELECTION, "round_1": 1}


def test_one_round_more(finished):
    finished.configure(rounds=[ROUND] * 4, shards=2)
    new = {"pseudo_label": 2, "pseudo_label_scores": 1, "label_measures": 2, "select": 1, **AFTER_SELECTION}
    assert finished.planned("round_3") == {**new, "round_3": 1}
    judged = {"pseudo_label_truth": 1, "pseudo_label_calibration": 1, "efficiency": 1, "compare": 1}
    reported = {"examples": 1, "run_record": 1, "volumes": 2, "report": 1, "all": 1}
    assert finished.planned() == {**new, **judged, **reported}


def test_exported_label_maps_that_are_gone_are_made_when_asked_by_the_rules_name(finished):
    table = "results/round_1/exported/predictions/seg.nrrd.tsv"
    write_text(finished.folder / table, "case")
    assert finished.run("--touch", "--force", table).returncode == 0
    assert finished.planned(table) == {}
    assert finished.planned(table, "-R", "export_label_maps") == {"export_label_maps": 1}


def test_another_colour_draws_the_examples_again_and_trains_nothing(finished):
    organs = [{**asdict(organ), "colour": "#123456"} if organ.label == 1 else asdict(organ) for organ in FLARE22]
    finished.configure(**BASE, organs=organs)
    jobs = finished.planned()
    assert jobs["run_record"] == jobs["examples"] == jobs["report"] == 1
    assert not {"train", "pseudo_label", "select", "predict"} & set(jobs)


def test_volumes_are_drawn_of_the_rounds_that_the_record_has(finished):
    """Without the record all that lies there would be drawn, with that of the last run what was wanted then."""
    assert finished.planned("results/report/volumes/shard_0.tsv") == {}
    jobs = finished.planned("results/report/volumes/shard_0.tsv", "--forcerun", "results/run.json")
    assert jobs == {"run_record": 1, "volumes": 1}


# Corrected pseudo-labels.

REPORTED = {"run_record": 1, "examples": 1, "volumes": 2, "report": 1, "all": 1}


def complete_with_corrections(folder, *numbers):
    """A finished run with a correction of each of these rounds' pseudo-labels."""
    project = Checkout(folder, **BASE)
    paths = [correct(project, number) for number in numbers]
    complete(project, **BASE, corrections="corrections")
    return project, *paths


def correct(project, number, case="Case_00001"):
    path = project.folder / f"corrections/round_{number}/{case}.nii.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("corrected")
    return path


def test_a_folder_of_corrections_without_any_asks_for_nothing_but_the_report(finished):
    (finished.folder / "corrections").mkdir()
    finished.configure(**BASE, corrections="corrections")
    assert finished.planned() == REPORTED


def test_corrections_ask_for_the_rounds_after_theirs_and_taken_away_for_the_same(finished, tmp_path):
    correct(finished, 2)
    finished.configure(**BASE, corrections="corrections")
    # No round follows, so that nothing is learned from them.
    known = {"corrected": 1, "corrections": 1}
    assert finished.planned() == known | REPORTED
    correct(finished, 1)
    jobs = finished.planned()
    after = {"select": 1, **AFTER_SELECTION, "efficiency": 1, "compare": 1}
    assert jobs == {"corrected": 2, "corrections": 2} | after | REPORTED
    assert finished.planned("round_1") == {"round_1": 1} | known
    project, first, _ = complete_with_corrections(tmp_path / "corrected", 1, 2)
    first.unlink()
    assert project.planned() == after | REPORTED


def test_corrected_label_maps_that_validate_ask_for_every_round(finished):
    correct(finished, 2)
    finished.configure(**BASE, corrections={"folder": "corrections", "validate": True})
    jobs = finished.planned()
    assert jobs["training_set"] == jobs["train"] == 3 and "fingerprint" not in jobs and "preprocess" not in jobs


def test_another_correction_and_other_minutes_ask_for_what_follows_from_them(tmp_path):
    project, path = complete_with_corrections(tmp_path / "corrected", 1)
    (path.parent / "minutes.tsv").write_text("case\tminutes\nCase_00001\t3\n")
    assert project.planned() == {"corrections": 1} | REPORTED
    path.write_text("corrected again")
    jobs = project.planned()
    assert jobs["corrected"] == jobs["select"] == jobs["train"] == 1 and "label_measures" not in jobs
    path.write_text("corrected")
    (path.parent / "organs.tsv").write_text("case\torgans\nCase_00001\tliver\n")
    jobs = project.planned("round_2")
    assert jobs["corrected"] == jobs["select"] == jobs["train"] == 1
    (path.parent / "minutes.tsv").write_text("case\tminutes\nCase_00001\t3\nCase_1\tfive\n")
    refused = project.run("check", "--dry-run")
    assert refused.returncode and "minutes.tsv, line 3: Case_1: no such label map" in refused.stdout


def test_another_model_whose_weights_a_training_begins_with_is_taken_anew(tmp_path, untrained):
    """Snakemake does not compare a parameter that is no plain value; all that it can compare differs here."""

    def begun_with(name, changed=b""):
        model = tmp_path / name
        if not model.exists():
            shutil.copytree(untrained, model)
        for path in model.glob("fold_*/*.pth"):
            path.write_bytes(path.read_bytes() + changed)
        trusted = [sha256(path) for path in sorted(model.glob("fold_*/*.pth"))]
        return {"rounds": [ROUND, ROUND | {"start": {"model": str(model), "sha256": trusted}}], "shards": 2}

    project = Checkout(tmp_path / "project")
    complete(project, **begun_with("a"))
    project.configure(**begun_with("b"))
    planned = project.planned()
    assert planned["take_first_weights"] == 1 and planned["train"] == 1
    project.configure(**begun_with("a", changed=b"another in its place"))
    assert project.planned()["take_first_weights"] == 1


def test_another_teacher_of_ones_own_in_the_same_place_labels_anew(tmp_path, untrained):
    """What was trained in the workflow's folder is trusted without a checksum in the configuration."""
    project = Checkout(tmp_path / "project")
    model = shutil.copytree(untrained, project.folder / "results/of_before/model")
    checkpoints = sorted(model.glob("fold_*/*.pth"))

    def trained():
        for path in checkpoints:
            path.with_suffix(".sha256").write_text(sha256(path))

    trained()
    complete(project, rounds=[{"model": str(model)}, ROUND], selection="paper")
    for path in checkpoints:
        path.write_bytes(path.read_bytes() + b"another in its place")
    trained()
    jobs = project.planned("round_1")
    assert jobs["take_teachers"] == jobs["pseudo_label"] == 1


@pytest.mark.parametrize("name", ["plans.json", "dataset.json"])
def test_a_teachers_description_corrected_in_its_place_labels_anew(tmp_path, untrained, name):
    model = shutil.copytree(untrained, tmp_path / "model")
    trusted = [sha256(path) for path in sorted(model.glob("fold_*/*.pth"))]
    project = Checkout(tmp_path / "project")
    complete(project, rounds=[{"model": str(model), "sha256": trusted}, ROUND], selection="paper")
    description = json.loads((model / name).read_text())
    (model / name).write_text(json.dumps(description | {"corrected": True}))
    jobs = project.planned("round_1")
    # Predictions of the teacher, and of the student that it is made anew for.
    assert jobs["take_teachers"] == jobs["pseudo_label"] == 1 and jobs["predict"] == 2


def test_other_numbers_of_organs_label_anew_though_the_teachers_were_taken_with_them_already(tmp_path, untrained):
    """A run that was ended after it had taken the teachers goes on with labelling."""
    trusted = [sha256(path) for path in sorted(untrained.glob("fold_*/*.pth"))]
    base = {"rounds": [{"model": str(untrained), "sha256": trusted}, ROUND], "selection": "paper"}
    project = with_own_scans(tmp_path / "project", **base)
    kept = yaml.safe_load((project.folder / "overlay.yaml").read_text())
    first, second, *others = map(asdict, FLARE22)
    organs = [second | {"label": 1}, first | {"label": 2}, *others]
    project.configure(**kept, organs=organs, replace=True)
    labels = "results/round_1/shards/pseudo_label_scores_0.tsv"
    before = ("results/round_0/verdict.json", "results/cohort/converted.tsv")
    assert project.run(*before, "--touch").returncode == 0
    assert project.planned(labels) == {"pseudo_label": 1}


def test_other_label_maps_to_paint_scans_around_paint_them_anew(tmp_path):
    project = Checkout(tmp_path / "project")
    (project.folder / "maps").mkdir()
    (project.folder / "maps/a.nii.gz").write_text("a")
    complete(project, rounds=[ROUND], cohort={"kind": "embedded", "embedded": {"label_maps": "maps"}})
    (project.folder / "maps/a.nii.gz").write_text("another")
    assert project.planned("check")["embedded_cohort"] == 1
