"""The student that is made to be deployed: its jobs, and what a change of its settings makes anew."""

import pytest

from finished_run import complete
from project import Project

SMALL = {"spacing_mm_zyx": [10, 8, 8], "base_features": 4}
BASE = {"networks": {"small": SMALL}, "rounds": [{"network": "coarse"}] * 2, "shards": 2, "training": {"folds": [0, 1]}}
DEPLOY = {"network": "small"}
# What is made of it once it is trained, by shards where there are two jobs.
JUDGED = {"predict": 2, "prediction_scores": 1, "evaluate": 1, "summarise": 1, "compare_deployed": 1, "efficiency": 1}
TRAINED = {"training_set": 1, "train": 1}
TAUGHT = {"pseudo_label": 2, "pseudo_label_scores": 1, "label_measures": 2, "select": 1}
NETWORK = {"plans": 1, "preprocess": 2, "preprocessed": 1}
REPORTED = {"run_record": 1, "examples": 1, "volumes": 2, "report": 1, "all": 1}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run with such a student. Only dry runs read it."""
    project = Project(tmp_path_factory.mktemp("deployed"))
    complete(project, **BASE, deploy=DEPLOY)
    return project


def test_it_is_one_more_round_of_one_fold_that_is_not_judged(tmp_path):
    project = Project(tmp_path, **BASE)
    without = project.planned()
    project.configure(**BASE, deploy=DEPLOY)
    more = {rule: number - without.get(rule, 0) for rule, number in project.planned().items()}
    added = {rule: number for rule, number in more.items() if number}
    assert added == NETWORK | TAUGHT | TRAINED | JUDGED | {"network_figures": 1}


def test_it_is_taught_by_the_model_that_labels_after_the_last_round_and_labels_in_its_own_way(tmp_path):
    project = Project(tmp_path, **BASE, deploy=DEPLOY | {"prediction": {"step_size": 0.7}}, targets="soft")
    lines = project.run("--dry-run", "round_deploy").stdout.splitlines()

    def said(script, what):
        return [line for line in lines if f"/{script}.py" in line and what in line]

    taught = said("predict", "--folder results/round_deploy/pseudo_labels")
    assert len(taught) == 2
    assert all("results/round_1/labeller/fold_1/checkpoint_final.pth" in line for line in taught)
    assert all("--step-size 0.5 --windows everywhere" in line and "--soft" in line for line in taught)
    own = "--step-size 0.7 --windows in_box_of_body"
    for script in ("train", "predict", "label_scan"):
        assert len(said(script, own)) == {"train": 1, "predict": 2, "label_scan": 1}[script]
    assert not said("train", "results/round_deploy/model --fold 1")
    (training,) = said("train", "--model results/round_deploy/model")
    # Nor is it repeated where the rounds end early.
    assert "--verdict" not in training


def test_its_target_makes_what_is_missing_of_it_alone(finished):
    assert finished.planned("round_deploy") == {}
    jobs = finished.planned("round_deploy", "--forcerun", "results/round_deploy/dataset/training_set.tsv")
    assert jobs == TRAINED | JUDGED | {"round_deploy": 1}
    assert finished.planned("results/round_deploy/model.zip") == {"export": 1}


@pytest.mark.parametrize(
    ("changes", "jobs"),
    [
        ({"training": {"epochs": 5}}, {"train": 1} | JUDGED),
        ({"noise": "none"}, {"train": 1} | JUDGED),
        ({"selection": "confident"}, {"select": 1} | TRAINED | JUDGED),
        ({"prediction": {"step_size": 0.7}}, {"train": 1} | JUDGED),
    ],
)
def test_a_change_of_its_settings_makes_nothing_else_anew(finished, changes, jobs):
    finished.configure(**BASE, deploy=DEPLOY | changes)
    assert finished.planned() == jobs | REPORTED


def test_a_run_without_it_is_untouched_by_it(finished):
    finished.configure(**BASE)
    assert finished.planned("round_1") == {}
