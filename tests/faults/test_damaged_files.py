"""Files that are damaged behind the run's back: a clear stop that names file and remedy, which then works."""

from pathlib import Path

import pytest

from faulty_project import EVERYTHING, LABELLED, UNLABELLED, Moment, target_of, truncate

STOPPED = "stopped, named file and remedy; finished after it"
# Who reads a file, and the file.
BY_RULE = [
    ("fingerprint", f"cohort/label_maps/{LABELLED}.nii.gz"),
    ("preprocess", f"cohort/images/{LABELLED}_0000.nii.gz"),
    ("pseudo_label", f"preprocessed/coarse/{UNLABELLED}.b2nd"),
    ("training_set", f"preprocessed/coarse/{LABELLED}.b2nd"),
    ("training_set", f"preprocessed/coarse/{LABELLED}_seg.b2nd"),
    ("training_set", f"preprocessed/coarse/{LABELLED}.pkl"),
    ("training_set", f"cohort/label_maps/{LABELLED}.nii.gz"),
    ("train", f"round_1/dataset/*/{UNLABELLED}.b2nd"),
    ("train", f"round_1/dataset/*/{LABELLED}_seg.b2nd"),
    ("postprocessing", "round_1/model/fold_0/held_out/*.nii.gz"),
    ("label_measures", f"round_1/pseudo_labels/{UNLABELLED}.nii.gz"),
    ("training_set", f"round_1/pseudo_labels/{UNLABELLED}.nii.gz"),
    ("evaluate", "round_1/predictions/FLARETest_0001.nii.gz"),
    ("pseudo_label", "round_0/model/fold_0/checkpoint_final.pth"),
    ("predict", "round_1/model/fold_0/checkpoint_final.pth"),
]


@pytest.mark.parametrize(("reader", "file"), BY_RULE)
def test_a_truncated_file_stops_its_reader_and_its_remedy_helps(undisturbed, reader, file, tmp_path, survived):
    project = undisturbed.before(reader, tmp_path / "project")
    path = project.file(file)
    truncate(path)
    run = project.try_run(target_of(reader))
    assert run.returncode, f"{path} was used"
    assert str(path.relative_to(project.folder)) in run.stdout, run.stdout[-3000:]
    project.follow_remedy(run.stdout)
    project.finish(target_of(reader))
    assert project.results() == undisturbed.results()
    survived(reader, f"`{file}` truncated", STOPPED, project.spent_s() - undisturbed.spent_s(reader, project))


TABLES = {
    "cohort/cases.tsv": "convert",
    "round_1/shards/pseudo_label_scores_0.tsv": "pseudo_label_scores",
    "round_1/selection.tsv": "training_set",
    "plans/coarse/plans.json": "preprocess",
    "round_1/model/fold_0/held_out.tsv": "judge",
    "round_0/verdict.json": "judge",
    "round_1/scores.tsv": "summarise",
}


@pytest.mark.parametrize("name", TABLES)
def test_half_a_table_is_refused_and_made_again_once_it_is_deleted(undisturbed, name, tmp_path, survived):
    project = undisturbed.copy(tmp_path / "project")
    truncate(project.file(name))
    run = project.try_run(*EVERYTHING)
    assert run.returncode and f"results/{name}" in run.stdout, run.stdout[-3000:]
    project.remove(name)
    project.finish(f"results/{name}")
    assert project.results() == undisturbed.results()
    survived(TABLES[name], f"`{name}` truncated", STOPPED, project.spent_s())


def test_a_removed_table_of_a_shard_is_made_again_from_what_is_whole(undisturbed, tmp_path, survived):
    project = undisturbed.copy(tmp_path / "project")
    label_maps = {path: path.stat().st_mtime_ns for path in (project.folder / "results").glob("round_1/*/*.nii.gz")}
    project.remove("round_1/shards/pseudo_label_scores_0.tsv")
    project.finish("results/round_1/shards/pseudo_label_scores_0.tsv")
    assert project.results() == undisturbed.results()
    assert label_maps == {path: path.stat().st_mtime_ns for path in label_maps}
    outcome = "finished, same results, no label map made anew"
    survived("pseudo_label", "a shard's table removed", outcome, project.spent_s())


def test_a_truncated_latest_checkpoint_stops_the_training_that_would_go_on(undisturbed, tmp_path, survived):
    project = undisturbed.copy(tmp_path / "project", ("round_0/model",))
    final = "results/round_0/model/fold_0/checkpoint_final.pth"
    project.end_at(Moment("train.py", "progress.tsv", 2, delay_s=0.2), 9, "all", final)
    assert project.run("--unlock").returncode == 0
    latest = project.file("round_0/model/fold_0/checkpoint_latest.pth")
    truncate(latest)
    run = project.try_run(final)
    assert run.returncode and str(latest.relative_to(project.folder)) in run.stdout and "delete it" in run.stdout
    latest.unlink()
    project.finish(final)
    assert project.results() == undisturbed.results()
    lost = project.cpu_s()["round_0/train_fold_0"] - undisturbed.cpu_s()["round_0/train_fold_0"]
    survived("train", "`checkpoint_latest.pth` truncated", STOPPED, lost)


def test_a_final_checkpoint_damaged_with_its_copy_is_trained_again(undisturbed, tmp_path, survived):
    project = undisturbed.before("predict", tmp_path / "project")
    for name in ("final", "finished"):
        truncate(project.file(f"round_1/model/fold_0/checkpoint_{name}.pth"))
    run = project.try_run(*EVERYTHING)
    assert run.returncode
    project.follow_remedy(run.stdout)
    project.finish(target_of("predict"))
    assert project.results() == undisturbed.results()
    lost = undisturbed.cpu_s()["round_1/train_fold_0"]
    survived("predict", "both copies of a final checkpoint truncated", "stopped; trained again, same weights", lost)


# Who reads a file of the user, or of the run.
UNREADABLE = {
    "case_table": f"cohort/embedded/Training/*/images/{LABELLED}_0000.nii.gz",
    "pseudo_label": f"preprocessed/coarse/{UNLABELLED}.b2nd",
    "evaluate": "round_1/predictions/FLARETest_0001.nii.gz",
    "predict": "round_1/model/fold_0/checkpoint_final.pth",
}
# The test may run as root, who reads everything unless this is taken away.
OVERRIDE = "-dac_override,-dac_read_search"
WITHOUT_OVERRIDE = ("setpriv", f"--bounding-set={OVERRIDE}", f"--inh-caps={OVERRIDE}")


@pytest.mark.parametrize("reader", UNREADABLE)
def test_a_file_that_may_not_be_read_stops_its_reader(undisturbed, reader, tmp_path, survived):
    project = undisturbed.before(reader, tmp_path / "project")
    path: Path = project.file(UNREADABLE[reader])
    mode = path.stat().st_mode
    path.chmod(0)
    run = project.try_run(target_of(reader), before=WITHOUT_OVERRIDE)
    assert run.returncode and str(path.relative_to(project.folder)) in run.stdout, run.stdout[-3000:]
    path.chmod(mode)
    project.finish(target_of(reader))
    assert project.results() == undisturbed.results()
    survived(reader, f"`{UNREADABLE[reader]}` may not be read", "stopped, named the file; finished after it")
