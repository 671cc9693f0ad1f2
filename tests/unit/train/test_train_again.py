"""A fold that collapsed is trained once more, and the better one kept; what follows for first weights.

No network is trained here.
"""

from argparse import Namespace

import pandas as pd
import pytest

import train
from noisy_student.files import sha256
from noisy_student.keeping.aside import refuse_foreign_checkpoints, settle
from noisy_student.model import trust
from noisy_student.tables import read_table, write_table


def write_fold(folder, dsc, seed):
    """What a trained fold leaves behind."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame({"case": ["a", "b"], "label": 1, "organ": "liver", "DSC": [dsc, dsc], "seed": seed})
    write_table(table, folder / "held_out.tsv")
    (folder / "held_out").mkdir(exist_ok=True)
    for name in ("checkpoint_final.pth", "progress.tsv", "held_out/a.nii.gz", "../plans.json", "../dataset.json"):
        (folder / name).write_text(f"seed {seed}")
    return folder


@pytest.fixture
def students(tmp_path, monkeypatch):
    """A teacher's fold at 0.8, a student's at 0.5, and the seeds of further trainings, which reach the DSC given."""

    def make(second):
        teacher = write_fold(tmp_path / "round_0/model/fold_0", 0.8, 1)
        first = write_fold(tmp_path / "round_1/model/fold_0", 0.5, 2)
        seeds = []

        def trained(arguments, model, seed):
            seeds.append(seed)
            return write_fold(model / "fold_0", second, seed)

        monkeypatch.setattr(train, "trained", trained)
        arguments = Namespace(model=first.parent, fold=0, settings={"seed": 2}, retrain_below=0.02)
        return arguments, first, teacher, seeds

    return make


def test_a_collapsed_fold_is_trained_with_another_seed_and_the_better_one_kept(students):
    arguments, first, teacher, seeds = students(second=0.75)
    train.train_again_after_a_collapse(arguments, first, teacher)
    assert len(seeds) == 1 and seeds != [2]
    assert read_table(first / "held_out.tsv").DSC.tolist() == [0.75, 0.75]
    for name in ("checkpoint_final.pth", "progress.tsv", "held_out/a.nii.gz"):
        assert (first / name).read_text() == f"seed {seeds[0]}"


def test_the_kept_ones_voices_come_with_it_and_no_others(students):
    arguments, first, teacher, _ = students(second=0.75)
    for folder, voice in ((first, "third_1"), (arguments.model.with_name("retrained") / "fold_0", "average")):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"checkpoint_{voice}.pth").write_text(voice)
    train.train_again_after_a_collapse(arguments, first, teacher)
    assert {path.name for path in first.glob("*.pth")} == {"checkpoint_final.pth", "checkpoint_average.pth"}
    for name in ("final", "average"):
        assert (first / f"checkpoint_{name}.sha256").read_text() == sha256(first / f"checkpoint_{name}.pth")


def test_the_progress_of_the_first_training_comes_back_with_its_weights(students, tmp_path, monkeypatch):
    arguments, first, teacher, seeds = students(second=0.75)
    (first / "checkpoint_finished.pth").write_text("seed 2")
    train.train_again_after_a_collapse(arguments, first, teacher)
    train.train_again_after_a_collapse(arguments, first, teacher)
    assert (first / "progress.tsv").read_text() == f"seed {seeds[0]}"
    # Snakemake deletes the final checkpoint before it runs the job again.
    (first / "checkpoint_final.pth").unlink()
    monkeypatch.setattr(train, "is_finished", lambda *_: True)
    for path in (tmp_path / "plans.json", tmp_path / "dataset.json", *first.parent.glob("*.json")):
        path.write_text("{}")
    places = train.Places(tmp_path, first.parent, 0)
    train.finish(Namespace(plans=tmp_path / "plans.json", dataset=tmp_path), {"voices": ["final"]}, places, None)
    assert {(first / name).read_text() for name in ("checkpoint_final.pth", "progress.tsv")} == {"seed 2"}


def test_a_second_training_that_is_worse_changes_nothing(students):
    arguments, first, teacher, seeds = students(second=0.4)
    train.train_again_after_a_collapse(arguments, first, teacher)
    assert len(seeds) == 1 and (first / "checkpoint_final.pth").read_text() == "seed 2"


def test_a_fold_that_holds_up_is_not_trained_again(students):
    arguments, first, teacher, seeds = students(second=0.9)
    write_fold(first, 0.79, 2)
    train.train_again_after_a_collapse(arguments, first, teacher)
    assert seeds == []


def test_a_round_after_the_end_is_no_foreign_model_and_a_training_that_it_had_is_kept(tmp_path):
    last = write_fold(tmp_path / "results/round_1/model/fold_0", 0.8, 1)
    fold = write_fold(tmp_path / "results/round_2/model/fold_0", 0.7, 2)
    record = fold / "training.json"
    record.write_text(own := '"its own"')
    for path in (last, fold):
        trust.record(path / "checkpoint_final.pth")
    for _ in range(2):
        train.repeat_the_last(last, fold)
        assert (fold / "checkpoint_final.pth").read_text() == "seed 1" and record.read_text() != own
        refuse_foreign_checkpoints(fold)
    settle(fold, own)
    assert (fold / "checkpoint_final.pth").read_text() == "seed 2" and record.read_text() == own


def test_who_waits_for_an_equal_training_is_told_of_the_epochs_of_ones_own(tmp_path):
    places = Namespace(fold_folder=tmp_path)
    (tmp_path / "progress.tsv").write_text("epoch\tseconds\n0\t9.0\n1\t9.0\n")
    assert train.own_epochs(places) == ""
    (tmp_path / "checkpoint_latest.pth").write_text("weights")
    assert "here 2 epochs are done" in train.own_epochs(places)
