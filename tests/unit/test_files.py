import errno
import os
import subprocess
import sys

import pytest

from conftest import ROOT
from noisy_student.errors import InputError
from noisy_student.files import link, only_one, read_json, remove_unfinished, sha256, visible, whole_file, write_text

PYTHON = {"PYTHONPATH": str(ROOT / "workflow/scripts"), **os.environ}


def test_a_file_appears_whole(tmp_path):
    with whole_file(tmp_path / "deep/table.tsv") as temporary:
        temporary.write_text("half")
        assert not (tmp_path / "deep/table.tsv").exists()
        assert temporary.name.endswith("table.tsv")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["table.tsv"]


def test_a_text_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "fsync", lambda number: seen.append((os.fstat(number).st_size, (tmp_path / "a").exists())))
    write_text(tmp_path / "a", "text")
    assert seen == [(4, False)] and (tmp_path / "a").read_text() == "text"
    with whole_file(tmp_path / "many") as temporary:
        temporary.write_text("one of thousands")
    assert len(seen) == 1


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError) as error, whole_file(path) as temporary:
        temporary.write_text("new")
        raise ZeroDivisionError
    assert f"while {path} was written, with " in error.value.__notes__[0]
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_leaves_no_file_under_the_name(tmp_path):
    code = f"""
import os, pathlib, signal
from noisy_student.files import whole_file
with whole_file(pathlib.Path({str(tmp_path / "a")!r})) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], env=PYTHON, check=False).returncode == -9
    assert not (tmp_path / "a").exists()
    write_text(tmp_path / "b", "whole")
    remove_unfinished(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_link_is_no_copy_and_replaces(tmp_path):
    write_text(tmp_path / "a", "a")
    write_text(tmp_path / "b", "b")
    link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").samefile(tmp_path / "a")


@pytest.mark.parametrize(("number", "is_found"), [(errno.EPERM, True), (errno.EXDEV, False)])
def test_on_a_disk_without_hard_links_a_run_may_be_moved(tmp_path, monkeypatch, number, is_found):
    def no_link(*_):
        raise OSError(number, "no hard link")

    monkeypatch.setattr(os, "link", no_link)
    run = tmp_path / "run"
    write_text(run / "preprocessed/a", "array")
    link(run / "preprocessed/a", run / "round_1/dataset/a")
    assert (run / "round_1/dataset/a").read_text() == "array"
    run.rename(tmp_path / "moved")
    assert (tmp_path / "moved/round_1/dataset/a").exists() == is_found


def test_a_relative_link_that_would_lead_elsewhere_is_absolute(tmp_path, monkeypatch):
    def no_link(*_):
        raise OSError(errno.EPERM, "no hard link")

    monkeypatch.setattr(os, "link", no_link)
    write_text(tmp_path / "run/a", "array")
    (tmp_path / "far/away").mkdir(parents=True)
    (tmp_path / "run/round_1").symlink_to(tmp_path / "far/away")
    link(tmp_path / "run/a", tmp_path / "run/round_1/a")
    assert (tmp_path / "run/round_1/a").read_text() == "array"


def test_a_killed_holder_leaves_no_lock_to_what_it_forked(tmp_path):
    code = f"""
import os, pathlib, signal, time
from noisy_student.files import only_one
with only_one(pathlib.Path({str(tmp_path / ".lock")!r})):
    if not os.fork():
        print(os.getpid(), flush=True)
        os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
"""
    killed = subprocess.Popen([sys.executable, "-c", code], env=PYTHON, stdout=subprocess.PIPE)
    child = int(killed.stdout.readline())
    killed.wait()
    with only_one(tmp_path / ".lock"):
        os.kill(child, 9)


def test_the_lock_keeps_a_second_process_out_and_says_who_has_it(tmp_path):
    code = f"""
import pathlib
from noisy_student.files import only_one
with only_one(pathlib.Path({str(tmp_path / ".lock")!r})): pass
"""
    with only_one(tmp_path / ".lock"):
        second = subprocess.run([sys.executable, "-c", code], env=PYTHON, capture_output=True, text=True, check=False)
        assert second.returncode != 0
        assert f"process {os.getpid()}" in second.stderr
        assert InputError.__name__ in second.stderr
    assert subprocess.run([sys.executable, "-c", code], env=PYTHON, check=False).returncode == 0


def test_checksum(tmp_path):
    write_text(tmp_path / "a", "abc")
    assert sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_half_a_json_file_is_named(tmp_path):
    (tmp_path / "plans.json").write_text('{"a": ')
    with pytest.raises(InputError, match=r"whole JSON file at .*plans\.json"):
        read_json(tmp_path / "plans.json")


def test_what_is_hidden_is_not_visible(tmp_path):
    for name in ("b.nii.gz", "a.nii.gz", "._a.nii.gz", ".nii.gz", "a.json"):
        (tmp_path / name).touch()
    assert [path.name for path in visible(tmp_path, ".nii.gz")] == ["a.nii.gz", "b.nii.gz"]
    assert len(visible(tmp_path)) == 3 and visible(tmp_path / "none") == []
