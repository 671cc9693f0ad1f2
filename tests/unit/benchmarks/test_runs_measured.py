"""The measurements that read a finished run: of which run, and what of it."""

import sys
from pathlib import Path

import pandas as pd
import pytest

import upper_bound
from deploy import copied
from noisy_student.tables import write_table


def test_the_upper_bound_is_that_of_the_run_that_is_named(tmp_path, monkeypatch):
    run, called = tmp_path / "other", []

    def script(words, cwd, **_):
        called.append((Path(words[1]).name, cwd, words[2:]))
        if words[1].name == "evaluate.py":
            mean = 0.5 + 0.1 * ("all_true_labels" in str(words))
            output = cwd / words[words.index("--output") + 1]
            write_table(pd.DataFrame({"organ": ["liver"], "DSC": [mean]}), output)

    truth = tmp_path / "truth.nii.gz"
    cases = pd.DataFrame({"case": ["a"], "role": ["unlabelled"], "truth": [truth]})
    write_table(cases, run / "results/cohort/cases.tsv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("upper_bound.subprocess.run", script)
    monkeypatch.setattr(sys, "argv", ["upper_bound.py", "--results", "other/results", "--seeds", "1"])
    with pytest.raises(SystemExit) as ended:
        upper_bound.main()
    assert ended.value.code == 0
    assert [name for name, _, _ in called] == ["make_training_set.py", "train.py", "predict.py", "evaluate.py"] * 2
    for _, folder, words in called:
        paths = [Path(word) for word in words if "/" in word]
        assert folder == run and paths and all(path.is_relative_to(run / "results") for path in paths)
    own = run / "results/benchmarks/upper_bound/seed_1/all_true_labels"
    assert (own / "pseudo_labels/a.nii.gz").readlink() == truth


def test_of_a_run_the_study_is_not_copied(tmp_path):
    run = tmp_path / "run"
    for name in (
        "results/study/seed_1/scan",
        "results/benchmarks/model",
        "results/round_1/study/x",
        ".snakemake/metadata/x",
    ):
        (run / name).parent.mkdir(parents=True)
        (run / name).touch()
    copied(run / "results", tmp_path / "copy")
    left = {str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("x")}
    assert left == {"results/round_1/study/x", ".snakemake/metadata/x"}
    assert not (tmp_path / "copy/results/study").exists() and not (tmp_path / "copy/results/benchmarks").exists()
