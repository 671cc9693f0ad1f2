"""Corrections: a run that is ended while they are checked or compared, and a checked label map that is damaged."""

import shutil
import signal

import pytest
import SimpleITK as sitk
import yaml

from faulty_project import UNLABELLED, Moment, truncate

CHECKED, COMPARED = "results/round_1/corrected.tsv", "results/round_1/corrections.tsv"
LEARNED = "results/round_0/dataset/training_set.tsv"


@pytest.fixture
def corrected(undisturbed, tmp_path):
    """A finished run to which a correction is given, which is to validate, so that all rounds learn from it."""
    project = undisturbed.copy(tmp_path / "project")
    settings = yaml.safe_load((project.folder / "overlay.yaml").read_text())
    project.configure(**settings, corrections={"folder": "corrections", "validate": True})
    handed_out = sitk.ReadImage(str(project.file(f"round_1/pseudo_labels/{UNLABELLED}.nii.gz")))
    handed_out[2:6, 2:6, 2:6] = 9
    folder = project.folder / "corrections/round_1"
    folder.mkdir(parents=True)
    sitk.WriteImage(handed_out, str(folder / f"{UNLABELLED}.nii.gz"))
    return project


def made(project, *targets):
    """Make targets alone, and give the checksums of all results."""
    run = project.try_run(*targets)
    assert run.returncode == 0, run.stdout[-3000:]
    return project.results()


def test_a_run_that_is_ended_while_corrections_are_checked_ends_as_if_it_was_not(corrected, tmp_path, survived):
    other = corrected.copy(tmp_path / "other")
    shutil.copytree(corrected.folder / "corrections", other.folder / "corrections")
    expected = made(other, COMPARED, LEARNED)
    moments = [
        Moment("check_corrections.py", "corrected/*.nii.gz"),
        Moment("compare_corrections.py", "corrections.tsv"),
    ]
    for moment in moments:
        corrected.end_at(moment, signal.SIGKILL, "all", COMPARED)
        assert corrected.run("--unlock").returncode == 0
    assert made(corrected, COMPARED, LEARNED) == expected
    assert f"round_1/corrected/{UNLABELLED}.nii.gz" in expected and "round_1/corrections.tsv" in expected
    said = ", then ".join(map(str, moments))
    lost = corrected.spent_s() - other.spent_s()
    survived("corrected, corrections", f"SIGKILL to everything, {said}", "finished, same results", lost)


def test_a_damaged_checked_correction_stops_the_training_set_and_its_remedy_helps(corrected, survived):
    expected = made(corrected, LEARNED)
    spent = corrected.spent_s()
    path = corrected.file(f"round_1/corrected/{UNLABELLED}.nii.gz")
    truncate(path)
    (corrected.folder / LEARNED).unlink()
    run = corrected.try_run(LEARNED)
    assert run.returncode and str(path.relative_to(corrected.folder)) in run.stdout, run.stdout[-3000:]
    corrected.follow_remedy(run.stdout)
    assert made(corrected, LEARNED) == expected
    what = f"`round_1/corrected/{UNLABELLED}.nii.gz` truncated"
    survived("training_set", what, "stopped, named file and remedy; finished after it", corrected.spent_s() - spent)
