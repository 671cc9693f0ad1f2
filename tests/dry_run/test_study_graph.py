"""The study is a list of experiments; what it and single ones of them would do, from dry runs."""

import json
import subprocess

import pytest

from arms import Study
from conftest import ROOT
from project import BIN, job_counts

STUDY = Study.read(ROOT / "benchmarks/study/study.yaml", {})


def planned(folder, *words, snakefile="Snakefile"):
    """Which jobs a dry run in a folder would do: rule → number."""
    command = [f"{BIN}/snakemake", "--dry-run", "--cores", "2", "--snakefile", str(ROOT / snakefile)]
    command += ["--workflow-profile", str(ROOT / "profiles/venv"), "--directory", str(folder), *words]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    return job_counts(run.stdout + run.stderr)


def planned_experiment(folder, rounds, *names, snakefile="Snakefile"):
    """The same of an experiment of the study, for files of round 1."""
    (folder / "arm.json").write_text(json.dumps(STUDY.configuration | {"rounds": rounds}))
    targets = [f"results/round_1/{name}" for name in names]
    return planned(folder, "--configfile", "arm.json", "--", *targets, snakefile=snakefile)


@pytest.mark.parametrize(
    ("overlay", "seeds", "arms"),
    [
        (None, 3, 21),
        ("choice", 1, 25),
        ("choice_painted", 2, 18),
        ("clinic", 3, 5),
        ("partial", 3, 12),
        ("review", 3, 7),
    ],
)
def test_each_arm_of_each_seed_is_an_experiment(tmp_path, overlay, seeds, arms):
    words = ("--configfile", str(ROOT / f"benchmarks/study/{overlay}.yaml")) if overlay else ()
    jobs = planned(tmp_path, *words, snakefile="benchmarks/study/Snakefile")
    judged = {"judge_voxels": seeds} if overlay in (None, "choice") else {}
    judged |= {"correct": 4 * seeds} if overlay == "review" else {}
    assert jobs == {"cohort": seeds, "experiment": seeds * arms, "tables": 1, "all": 1} | judged


def test_an_experiment_trains_its_rounds_and_judges_the_last(tmp_path):
    jobs = planned_experiment(tmp_path, STUDY.rounds("paper"), "scores.tsv", "verdict.json", "pseudo_label_truth.tsv")
    assert (jobs["train"], jobs["judge"], jobs["pseudo_label"], jobs["select"]) == (2, 2, 1, 1)
    assert jobs["predict"] == jobs["evaluate"] == jobs["pseudo_label_truth"] == 1
    assert "report" not in jobs and "efficiency" not in jobs


def test_with_the_truth_for_a_teacher_nothing_is_labelled(tmp_path):
    # Its first round begins with a model that is not there.
    rounds = [*STUDY.rounds("labelled_only"), *STUDY.rounds("all_true_labels")[1:]]
    jobs = planned_experiment(tmp_path, rounds, "scores.tsv", snakefile="benchmarks/study/true_labels.smk")
    assert (jobs["train"], jobs["true_labels"], jobs["predict"]) == (2, 1, 1)
    assert "pseudo_label" not in jobs and "select" not in jobs
