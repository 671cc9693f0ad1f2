"""Which jobs there are, from dry runs: the graph follows rounds, folds and shards, never scans."""

import re

import pytest

from project import Project

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
        "report": 1,
        "all": 1,
    }


def test_jobs_do_not_number_with_scans(project):
    few = planned(project)
    many = planned(project, cohort={"embedded": {"unlabelled": 200_000}})
    assert many == few


def test_the_check_does_nothing_but_look(project):
    assert planned(project, targets=("check",)) == {"embedded_cohort": 1, "case_table": 1, "room": 1, "check": 1}


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
    assert "Job stats" not in run.stdout
