"""Files damaged behind the run's back stop it with a remedy that works; `make faults` tries many more."""

from faulty_project import STAGES, copied, truncate


def stop(project, file: str, target: str) -> str:
    """Truncate a file of the results; run up to a target; what was said."""
    path = project.file(file)
    truncate(path)
    run = project.run(f"results/{target}")
    assert run.returncode and str(path.relative_to(project.folder)) in run.stdout, run.stdout[-3000:]
    return run.stdout


def test_half_a_label_map_is_not_learned_from_and_its_rule_makes_it_again(finished, tmp_path):
    without, target = STAGES["training_set"]
    project = copied(finished, tmp_path / "project", without)
    label_map = "round_1/pseudo_labels/Case_00001.nii.gz"
    whole = project.file(label_map).read_bytes()
    project.follow_remedy(stop(project, label_map, target))
    assert project.file(label_map).read_bytes() == whole
    assert project.run(f"results/{target}").returncode == 0
    assert project.results() == copied(finished, tmp_path / "undisturbed").results()


def test_half_a_checkpoint_is_not_used_and_comes_back_from_its_copy(finished, tmp_path):
    without, target = STAGES["predict"]
    project = copied(finished, tmp_path / "project", without)
    checkpoint = "round_1/model/fold_0/checkpoint_final.pth"
    assert "a whole checkpoint" in stop(project, checkpoint, target)
    project.file(checkpoint).unlink()
    run = project.run(f"results/{target}")
    assert run.returncode == 0, run.stdout[-3000:]
    assert "was trained before" in (project.folder / "logs/round_1/train_fold_0.log").read_text()
    assert project.results() == copied(finished, tmp_path / "undisturbed").results()


def test_half_a_case_table_is_refused(finished, tmp_path):
    project = copied(finished, tmp_path / "project")
    assert "one that ends within a line" in stop(project, "cohort/cases.tsv", "cohort/converted.tsv")
