import os
import subprocess
import sys

import pytest

from conftest import ROOT
from noisy_student.running import stale_lock
from noisy_student.running.stale_lock import may_be_left

READ = """
from pathlib import Path
from noisy_student.running.stale_lock import tell_at_exit
tell_at_exit(Path.cwd(), "snakemake --cores 8")
print("LockException")
"""


@pytest.fixture
def locked(tmp_path):
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.output.lock").touch()
    return tmp_path


def said(folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    run = subprocess.run([sys.executable, "-c", READ], cwd=folder, env=environment, capture_output=True, text=True)
    return run.stderr


def test_a_lock_that_was_left_is_told_with_the_command_that_takes_it_away(locked):
    assert "`snakemake --cores 8 --unlock`, then the same command again" in said(locked)


def test_without_a_lock_nothing_is_told(tmp_path):
    assert said(tmp_path) == ""


def test_the_lock_of_a_living_snakemake_is_not_left_over(locked, monkeypatch):
    monkeypatch.setattr(stale_lock, "living_snakemake", lambda folder: [os.getpid()])
    assert may_be_left(locked)
    monkeypatch.setattr(stale_lock, "living_snakemake", lambda folder: [os.getpid(), 1])
    assert not may_be_left(locked)
