"""Things that experiments share: whole or absent, damage found by checksums, linked and never written through."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from noisy_student.keeping import store as keeping
from noisy_student.keeping.store import NO_STORE, Store, damaged_files, own


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_what_was_put_is_taken_as_the_same_file(store, tmp_path):
    made = write(tmp_path / "a/scan.b2nd", "voxels")
    store.put("preprocessed", "scan 1, plans 2", {"array": made})
    target = tmp_path / "b/scan.b2nd"
    assert store.take("preprocessed", "scan 1, plans 2", {"array": target})
    assert target.samefile(made)


@pytest.mark.parametrize(
    ("kind", "made_from"), [("preprocessed", "scan 1, plans 3"), ("label_maps", "scan 1, plans 2")]
)
def test_other_things_are_not_taken_for_it(store, tmp_path, kind, made_from):
    store.put("preprocessed", "scan 1, plans 2", {"array": write(tmp_path / "a", "voxels")})
    assert not store.take(kind, made_from, {"array": tmp_path / "b"}) and not (tmp_path / "b").exists()


def test_a_thing_that_lacks_a_file_that_is_wanted_is_not_taken(store, tmp_path):
    store.put("label_maps", "x", {"label_map": write(tmp_path / "a", "labels")})
    wanted = {"label_map": tmp_path / "b", "confidence": tmp_path / "c"}
    assert not store.take("label_maps", "x", wanted) and not (tmp_path / "b").exists()


def test_a_thing_is_taken_with_its_extras_or_if_it_is_older_without(store, tmp_path):
    weights, versions = write(tmp_path / "a/weights", "w"), tmp_path / "a/versions"
    store.put("training", "older", {"weights": weights}, {"versions": versions})
    store.put("training", "newer", {"weights": weights}, {"versions": write(versions, "1")})
    wanted, extras = {"weights": tmp_path / "b/weights"}, {"versions": write(tmp_path / "b/versions", "another's")}
    assert store.take("training", "older", wanted, extras) and not extras["versions"].exists()
    assert store.take("training", "newer", wanted, extras) and extras["versions"].read_text() == "1"


@pytest.mark.parametrize(("killed_in", "left"), [("share", ("old", "old")), ("replace", ("new", None))])
def test_a_thing_that_is_taken_in_part_leaves_no_earlier_file_beside_it(store, tmp_path, monkeypatch, killed_in, left):
    files = {name: write(tmp_path / "a" / name, "new") for name in ("label_map", "record")}
    store.put("label_maps", "x", files)
    targets = {name: write(tmp_path / "b" / name, "old") for name in files}
    place = {"share": keeping, "replace": Path}[killed_in]
    call = getattr(place, killed_in)

    def killed_after_the_first(source, target):
        if "record" in source.name:
            raise KeyboardInterrupt
        return call(source, target)

    monkeypatch.setattr(place, killed_in, killed_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        store.take("label_maps", "x", targets)
    found = {path.name: path.read_text() for path in (tmp_path / "b").iterdir()}
    assert found == {name: text for name, text in zip(files, left, strict=True) if text}


def test_a_thing_that_is_removed_while_it_is_taken_leaves_what_was_there(store, tmp_path, monkeypatch, capsys):
    files = {name: write(tmp_path / "a" / name, "new") for name in ("weights", "progress")}
    store.put("training", "x", files)
    share = keeping.share

    def removed_after_the_first(source, target):
        share(source, target)
        source.with_name("progress").unlink()

    monkeypatch.setattr(keeping, "share", removed_after_the_first)
    targets = {name: tmp_path / "b" / name for name in files}
    write(targets["progress"], "of a half training")
    assert not store.take("training", "x", targets) and "was removed meanwhile" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["progress"]
    assert targets["progress"].read_text() == "of a half training"


def test_a_damaged_thing_leaves_the_store_and_is_put_anew(store, tmp_path, capsys):
    made = write(tmp_path / "a", "voxels")
    store.put("preprocessed", "x", {"array": made})
    item = store.item("preprocessed", "x")
    (item / "array").unlink()
    (item / "array").write_text("voxelz")
    assert damaged_files(item) == ["array"]
    assert not store.take("preprocessed", "x", {"array": tmp_path / "b"})
    assert "is damaged (array) and is made anew" in capsys.readouterr().err and not item.exists()
    store.put("preprocessed", "x", {"array": made})
    assert store.take("preprocessed", "x", {"array": tmp_path / "b"}) and (tmp_path / "b").read_text() == "voxels"


def test_what_another_experiment_replaces_stays_in_the_store(store, tmp_path):
    made = write(tmp_path / "a", "voxels")
    store.put("preprocessed", "x", {"array": made})
    new = write(tmp_path / "new", "other voxels")
    new.replace(made)
    assert store.take("preprocessed", "x", {"array": tmp_path / "b"}) and (tmp_path / "b").read_text() == "voxels"


def test_on_another_disk_files_are_copied_with_a_word(store, tmp_path, monkeypatch, capsys):
    def no_link(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_link)
    monkeypatch.setattr(keeping, "_told", set())
    made = write(tmp_path / "a", "voxels")
    store.put("preprocessed", "x", {"array": made, "again": made})
    assert store.take("preprocessed", "x", {"array": tmp_path / "b"})
    assert not (tmp_path / "b").samefile(made) and (tmp_path / "b").stat().st_mtime == made.stat().st_mtime
    assert capsys.readouterr().err.count("what is shared is copied") == 1


def test_without_a_store_nothing_is_kept(tmp_path):
    made = write(tmp_path / "a", "voxels")
    with NO_STORE.alone("work"):
        NO_STORE.put("preprocessed", "x", {"array": made})
    assert not NO_STORE.take("preprocessed", "x", {"array": tmp_path / "b"})


def test_of_two_processes_that_put_the_same_one_is_enough(store, tmp_path):
    made = write(tmp_path / "a", "voxels")
    with keeping.whole_folder(store.item("preprocessed", "x")) as unfinished:
        store.put("preprocessed", "x", {"array": made})
        (unfinished / "array").write_text("half")
    assert damaged_files(store.item("preprocessed", "x")) == []


def test_a_second_experiment_waits_for_what_the_first_one_makes(store, tmp_path):
    script = textwrap.dedent(
        f"""
        import sys; sys.path.insert(0, {str(keeping.__file__).rsplit("/noisy_student", 1)[0]!r})
        from pathlib import Path
        from noisy_student.keeping.store import Store
        store = Store(Path({str(store.root)!r}))
        with store.alone("the training", "; here 9 epochs are done"):
            print(store.take("training", "x", {{"weights": Path({str(tmp_path / "second")!r})}}))
        """
    )
    with store.alone("the training"):
        second = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert re.match("waiting for process .*; here 9 epochs are done", second.stdout.readline())
        store.put("training", "x", {"weights": write(tmp_path / "first", "trained")})
    assert second.communicate()[0].strip() == "True" and (tmp_path / "second").read_text() == "trained"


def test_a_linked_folder_becomes_ones_own_before_something_is_written_there(tmp_path):
    shared = tmp_path / "store/labels"
    write(shared / "a.nii.gz", "labels of a")
    write(shared / "scores/a.json", "scores of a")
    (shared / ".lock").touch()
    folder = tmp_path / "results/labels"
    folder.parent.mkdir()
    folder.symlink_to(shared)
    own(folder)
    assert not folder.is_symlink() and (folder / "scores/a.json").samefile(shared / "scores/a.json")
    write(folder / "b.nii.gz", "labels of b")
    assert not (shared / "b.nii.gz").exists() and not (folder / ".lock").exists()
    own(folder)
    assert (folder / "b.nii.gz").exists()


def test_a_folder_that_was_linked_and_lost_is_made_anew(tmp_path):
    folder = tmp_path / "labels"
    folder.symlink_to(tmp_path / "gone")
    own(folder)
    assert folder.is_dir() and not folder.is_symlink()
