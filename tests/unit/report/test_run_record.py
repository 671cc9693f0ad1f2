"""Which commit of the workflow a run is recorded with, and which versions its trainings were computed by."""

import subprocess
from types import SimpleNamespace

from make_run_record import git_commit
from noisy_student.report.methods.run import software

COMMIT = "0123456789" * 4


def git(folder, *words):
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    run = subprocess.run(("git", *identity, *words), cwd=folder, check=True, capture_output=True, text=True)
    return run.stdout.strip()


def test_it_is_that_of_the_workflows_own_repository_with_a_mark_for_changes(tmp_path):
    (tmp_path / "Snakefile").write_text("one")
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--message=one")
    assert git_commit(tmp_path) == git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "Snakefile").write_text("two")
    assert git_commit(tmp_path) == git(tmp_path, "rev-parse", "HEAD") + "+"


def test_of_a_workflow_written_out_into_anothers_repository_it_is_its_own_or_nothing(tmp_path):
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "--message=another's")
    workflow = tmp_path / "workflow"
    workflow.mkdir()
    assert git_commit(workflow) is None
    for text, commit in (("$Format:%H$", None), (COMMIT, COMMIT)):
        (workflow / ".git_archival.txt").write_text(f"{text}\n")
        assert git_commit(workflow) == commit


def test_trainings_that_other_versions_computed_are_said_apart():
    folds = {"round_0/fold_0": [{"torch": "1"}], "round_0/fold_1": [{"torch": "1"}, {"torch": "2"}],
             "round_deploy/fold_0": [{"torch": "2"}]}  # fmt: skip
    text = software(SimpleNamespace(run={"versions": {"torch": "2"}, "trained_with": folds}))
    assert "Versions when the record was written: torch 2. Trained with torch 1: round 0, fold 0; round 0, fold" in text
    assert "Trained" not in software(SimpleNamespace(run={"versions": {"torch": "2"}})).replace("Trainings", "")
