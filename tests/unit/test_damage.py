from noisy_student.damage import OF_THE_USER, damaged, remedy


def test_a_file_that_the_workflow_made_is_made_again_by_its_rule(tmp_path):
    results = tmp_path / "results"
    for name, rule in {
        "cohort/images/a_0000.nii.gz": "convert",
        "preprocessed/coarse/a.b2nd": "preprocess",
        "round_1/pseudo_labels/a.nii.gz": "pseudo_label",
        "round_12/predictions/a.nii.gz": "predict",
        "round_0/model/fold_3/checkpoint_final.pth": "train",
        "round_0/model/fold_3/held_out/a.nii.gz": "train",
    }.items():
        assert f"`snakemake --forcerun {rule} --until {rule}`" in remedy(results / name)
    linked = remedy(results / "round_0/dataset/cases/a_seg.b2nd")
    assert "`snakemake --forcerun preprocess training_set --until training_set`" in linked


def test_a_link_stands_for_the_file_that_it_leads_to(tmp_path):
    link = tmp_path / "results/round_0/labeller/checkpoint_final.pth"
    link.parent.mkdir(parents=True)
    link.symlink_to("../model/checkpoint_final.pth")
    error = str(damaged(link, "a whole checkpoint", "no"))
    assert "results/round_0/model/checkpoint_final.pth" in error and "--forcerun train" in error


def test_a_scan_of_the_user_is_the_users(tmp_path):
    assert remedy(tmp_path / "scans/a.nii.gz") == OF_THE_USER


def test_the_error_names_file_reason_and_remedy(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_text("half")
    error = str(damaged(path, "a readable image", RuntimeError("first line\nCRC check failed")))
    assert str(path) in error and "got: CRC check failed" in error and OF_THE_USER in error
    path.unlink()
    assert "got: no such file" in str(damaged(path, "a readable image", RuntimeError("no")))
