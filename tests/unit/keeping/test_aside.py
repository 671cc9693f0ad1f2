"""Trainings set aside under their identity and taken back, wherever a move is cut short."""

import json

import pytest

from noisy_student.errors import InputError
from noisy_student.files import only_one, write_text
from noisy_student.keeping import aside
from noisy_student.keeping.aside import RECORD, aside_of_fold, settle, short

# What three trainings are.
A, B, C = map(json.dumps, "ABC")


@pytest.fixture
def fold(tmp_path):
    """A fold's folder with a finished training of the identity A."""
    folder = tmp_path / "results/round_1/model/fold_0"
    (folder / "held_out").mkdir(parents=True)
    for name in ("checkpoint_final.pth", "progress.tsv", "held_out/a.nii.gz"):
        (folder / name).write_text(f"A {name}")
    (folder / ".lock").write_text("held")
    write_text(folder / RECORD, A)
    return folder


def contents(folder):
    """Every visible file's text, by its path."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_another_training_sets_the_first_aside_and_the_first_comes_back_as_it_was(fold, tmp_path):
    before, place = contents(fold), aside_of_fold(fold)
    assert place == tmp_path / "results/superseded/round_1/model/fold_0"
    settle(fold, B)
    assert contents(fold) == {RECORD: B} and (fold / ".lock").exists()
    assert contents(place / short(A)) == before
    (fold / "checkpoint_latest.pth").write_text("B, half done")
    settle(fold, A)
    assert contents(fold) == before
    assert contents(place) == {f"{short(B)}/{RECORD}": B, f"{short(B)}/checkpoint_latest.pth": "B, half done"}


def test_its_own_training_stays(fold):
    before = contents(fold)
    settle(fold, A)
    assert contents(fold) == before and not aside_of_fold(fold).exists()


def test_hidden_files_of_others_stay_and_hinder_no_move(fold, capsys):
    before, place = contents(fold), aside_of_fold(fold)
    for hidden in (fold / "held_out/.DS_Store", place / short(A) / ".DS_Store", place / short(B) / ".DS_Store"):
        write_text(hidden, "x")
    settle(fold, B)
    assert contents(fold) == {RECORD: B} and contents(place / short(A)) == before
    assert "taken back" not in capsys.readouterr().out
    for _ in range(2):
        settle(fold, A)
        assert contents(fold) == before
    assert capsys.readouterr().out.count("taken back") == 1
    assert aside.set_aside_other_folds(fold.parent, [2]) == [fold] and contents(place / short(A)) == before


def identity(**settings):
    return json.dumps({"settings": {"epochs": 9} | settings, "sha256": {}}, indent=2, sort_keys=True)


def test_how_often_a_training_is_saved_once_was_part_of_it_and_is_no_other_training(fold, tmp_path):
    write_text(fold / RECORD, earlier := identity(checkpoint_every_epochs=50))
    before, place = contents(fold), aside_of_fold(fold)
    settle(fold, identity())
    assert contents(fold) == before | {RECORD: identity()} and not place.exists()
    write_text(fold / RECORD, earlier)
    settle(fold, identity(epochs=10))
    settle(fold, identity())
    assert contents(fold) == before | {RECORD: identity()}


def test_one_that_was_set_aside_under_an_earlier_identity_never_replaces_a_later_one(fold):
    place = aside_of_fold(fold)
    for every, text in ((50, "earlier"), (10, "later")):
        write_text(fold / RECORD, identity(checkpoint_every_epochs=every))
        (fold / "progress.tsv").write_text(text)
        if every == 50:
            aside._move(fold, place / short(identity(checkpoint_every_epochs=50)))
    for wanted in (identity(), identity(epochs=10), identity()):
        settle(fold, wanted)
    assert (fold / "progress.tsv").read_text() == "later"
    assert (place / short(identity(checkpoint_every_epochs=50)) / "progress.tsv").read_text() == "earlier"


@pytest.mark.parametrize("wanted", [A, B, C])
@pytest.mark.parametrize("moves", range(5))
def test_a_move_that_was_cut_short_loses_nothing(fold, monkeypatch, moves, wanted):
    """Killed after each of the moves from A to B, then started with A, B or C wanted."""
    before, place, left = contents(fold), aside_of_fold(fold), [moves]
    whole = aside._move_file

    def until_killed(source, target):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        whole(source, target)

    monkeypatch.setattr(aside, "_move_file", until_killed)
    for identity in (B, A):
        try:
            settle(fold, identity)
        except KeyboardInterrupt:
            break
    monkeypatch.setattr(aside, "_move_file", whole)
    settle(fold, wanted)
    kept = fold if wanted == A else place / short(A)
    assert contents(kept) == before


def test_checkpoints_of_another_origin_are_neither_moved_nor_deleted(tmp_path):
    folder = tmp_path / "results/round_0/model/fold_0"
    folder.mkdir(parents=True)
    (folder / "checkpoint_final.pth").write_text("mine")
    with pytest.raises(InputError, match=r"checkpoint_final.pth, which no training of this workflow wrote"):
        settle(folder, A)
    assert contents(folder) == {"checkpoint_final.pth": "mine"}


def test_folds_that_are_not_wanted_any_more_are_set_aside_and_come_back(fold):
    model, place, before = fold.parent, aside_of_fold(fold), contents(fold)
    foreign = model / "fold_1/checkpoint_final.pth"
    write_text(foreign, "of another origin")
    assert aside.set_aside_other_folds(model, [0]) == []
    with only_one(fold / ".lock"):
        assert aside.set_aside_other_folds(model, [2]) == [] and contents(fold) == before
    assert aside.set_aside_other_folds(model, [2]) == [fold]
    assert contents(fold) == {} and contents(place / short(A)) == before and foreign.exists()
    settle(fold, A)
    assert contents(fold) == before


@pytest.mark.parametrize("linked", ["round_1", "round_1/model", "round_1/model/fold_0"])
def test_nothing_is_written_through_a_link(fold, tmp_path, linked):
    place = tmp_path / "results" / linked
    elsewhere = place.rename(tmp_path / "elsewhere")
    place.symlink_to(elsewhere)
    before = contents(elsewhere)
    with pytest.raises(InputError, match="is a link to"):
        settle(fold, B)
    assert contents(elsewhere) == before


@pytest.mark.parametrize("text", ["", "\0" * 40, '{"settings": {'])
def test_a_record_that_a_power_cut_took_is_refused_and_nothing_moved(fold, text):
    (fold / RECORD).write_text(text)
    before = contents(fold)
    with pytest.raises(InputError, match=rf"{RECORD}(.|\n)*no JSON(.|\n)*trained anew"):
        settle(fold, A)
    assert aside.set_aside_other_folds(fold.parent, [2]) == []
    assert contents(fold) == before and not aside_of_fold(fold).exists()


def test_a_record_that_is_right_is_not_written_again(fold):
    before = (fold / RECORD).stat().st_ino
    settle(fold, A)
    assert (fold / RECORD).stat().st_ino == before
