"""Corrections belong to a run as they were when it began: to its jobs on a cluster, and to what it puts in a store."""

import json
import re
import shutil

import pytest

from finished_run import complete
from project import Checkout

BASE = {"rounds": [{"network": "coarse"}] * 3, "shards": 1, "corrections": "corrections"}
# As Snakemake starts itself for a job on a cluster.
AS_JOB = ("--mode", "remote", "--force", "--nolock", "--no-hooks", "--target-jobs", "select:round=2")
AS_JOB += ("--allowed-rules", "select", "--dry-run")
VARIABLE = "NOISY_STUDENT_CORRECTED"


def correct(project, text="corrected"):
    path = project.folder / "corrections/round_1/Case_00001.nii.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def finished(folder, corrected, **settings):
    project = Checkout(folder)
    (folder / "corrections").mkdir()
    if corrected:
        correct(project)
    complete(project, **BASE, **settings)
    return project


def inputs(run):
    assert run.returncode == 0, run.stdout
    return re.search(r"rule select:\n +input: (.*)", run.stdout)[1].split(", ")


def test_a_correction_that_comes_while_a_run_goes_on_is_no_input_of_its_jobs(tmp_path):
    project = finished(tmp_path / "project", corrected=False)
    planned = inputs(project.run("--dry-run", "--force", "results/round_2/selection.tsv"))
    path = correct(project)
    assert inputs(project.run(*AS_JOB, **{VARIABLE: "{}"})) == planned
    path.unlink()
    found = json.dumps({"1": ["a", "b"]})
    assert inputs(project.run(*AS_JOB, **{VARIABLE: found})) == [*planned, "results/round_1/corrected.tsv"]
    # A cluster that hands no environment on is said, and not guessed at.
    run = project.run(*AS_JOB)
    assert run.returncode and VARIABLE in run.stdout


@pytest.mark.parametrize("corrected", [True, False])
def test_a_store_keeps_apart_what_was_made_with_corrections_and_without(tmp_path, corrected):
    store = str(tmp_path / "store")
    first = finished(tmp_path / "first", corrected, store=store)
    assert "Nothing to be done" in first.run().stdout
    second = Checkout(tmp_path / "second", **BASE, store=store)
    (second.folder / "corrections").mkdir()
    if not corrected:
        correct(second)
    jobs = second.planned()
    trained = {path.parts[-4] for path in second.folder.glob("results/round_*/model/fold_0/checkpoint_final.pth")}
    assert trained == {"round_0", "round_1"} and jobs["train"] == 1 and "pseudo_label" not in jobs
    # The same corrections are the same.
    third = Checkout(tmp_path / "third", **BASE, store=store)
    shutil.copytree(first.folder / "corrections", third.folder / "corrections")
    third.planned()
    assert (third.folder / "results/round_2/model/fold_0/checkpoint_final.pth").exists()


def test_what_was_corrected_while_a_run_went_on_keeps_its_rounds_out_of_the_store(tmp_path):
    store = tmp_path / "store"
    project = finished(tmp_path / "project", corrected=True)
    project.configure(**BASE, store=str(store))
    with (project.folder / "Snakefile").open("a") as snakefile:
        snakefile.write("Path('corrections/round_1/Case_00001.nii.gz').write_text('corrected once more')\n")
    run = project.run()
    assert "Nothing to be done" in run.stdout and "corrections changed meanwhile" in run.stdout, run.stdout
    shared = {
        path.relative_to(store).parts[4] for path in store.glob("stages/training/*/results/round_*/selection.tsv")
    }
    assert shared == {"round_1"}
