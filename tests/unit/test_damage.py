from noisy_student.damage import OF_THE_USER, damaged, remedy

CHECKPOINT_OF_3 = "snakemake --force results/round_0/model/fold_3/checkpoint_final.pth"


def test_a_file_that_the_workflow_made_is_made_again_by_what_made_it(tmp_path):
    results = tmp_path / "results"
    shards = "results/round_12/shards"
    for name, command in {
        "cohort/images/a_0000.nii.gz": "snakemake --forcerun convert --until convert",
        "preprocessed/coarse/a.b2nd": "snakemake --forcerun preprocess --until preprocess",
        "round_12/pseudo_labels/a.nii.gz": f"snakemake --force {shards}/pseudo_label_scores_*.tsv",
        "round_12/predictions/a.nii.gz": f"snakemake --force {shards}/prediction_scores_*.tsv",
        "round_0/model/fold_3/checkpoint_final.pth": CHECKPOINT_OF_3,
        "round_0/model/fold_3/held_out/a.nii.gz": CHECKPOINT_OF_3,
        "round_0/dataset/cases/a_seg.b2nd": "snakemake --forcerun preprocess --until preprocess"
        " && snakemake --force results/round_0/dataset/training_set.tsv",
    }.items():
        assert f"`{command}`" in remedy(results / name)


def test_a_link_stands_for_the_file_that_it_leads_to(tmp_path):
    link = tmp_path / "results/round_0/labeller/fold_3/checkpoint_final.pth"
    link.parent.mkdir(parents=True)
    link.symlink_to("../../model/fold_3/checkpoint_final.pth")
    error = str(damaged(link, "a whole checkpoint", "no"))
    assert "a whole checkpoint at" in error and "results/round_0/model/fold_3/" in error and CHECKPOINT_OF_3 in error


def test_of_results_that_are_a_link_themselves_a_files_own_link_alone_is_followed(tmp_path):
    (tmp_path / "disk/mine/round_0/labeller/fold_3").mkdir(parents=True)
    (tmp_path / "results").symlink_to(tmp_path / "disk/mine")
    link = tmp_path / "results/round_0/labeller/fold_3/checkpoint_final.pth"
    link.symlink_to("../../model/fold_3/checkpoint_final.pth")
    assert CHECKPOINT_OF_3 in str(damaged(link, "a whole checkpoint", "no"))


def test_a_scan_of_the_user_is_the_users(tmp_path):
    assert remedy(tmp_path / "scans/a.nii.gz") == OF_THE_USER


def test_the_error_names_file_reason_and_remedy(tmp_path):
    path = tmp_path / "a.nii.gz"
    path.write_text("half")
    error = str(damaged(path, "a readable image", RuntimeError("first line\nCRC check failed")))
    assert str(path) in error and "got: CRC check failed" in error and OF_THE_USER in error
    path.unlink()
    assert "got: no such file" in str(damaged(path, "a readable image", RuntimeError("no")))
