import shutil
import subprocess
import sys
from collections import namedtuple

import pytest

from conftest import ROOT
from noisy_student.running import disk
from noisy_student.running.disk import shortage, shortages

Usage = namedtuple("Usage", "total used free")
# A limit for the size of files stands for a quota or a full disk: to a writer they are alike.
WITH_LIMIT = """
import resource, sys
from pathlib import Path
from noisy_student.running.disk import shortage
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
print(shortage(Path(sys.argv[1])))
"""


@pytest.fixture
def free(monkeypatch):
    """Let the disk have so many bytes free."""

    def set_free(count):
        monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, count))

    return set_free


def test_a_folder_with_room_lacks_none_and_is_left_empty(tmp_path, free):
    free(10**10)
    assert shortage(tmp_path) == "" and not list(tmp_path.iterdir())


def test_where_nothing_can_be_written_the_disk_is_full_whatever_is_said_to_be_free(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", WITH_LIMIT, tmp_path],
        env={"PYTHONPATH": str(ROOT / "workflow/scripts")}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout == f"full: {tmp_path} (File too large)\n" and not list(tmp_path.iterdir())


def test_little_room_is_said_with_its_size(tmp_path, free):
    free(30_000_000)
    assert shortage(tmp_path) == f"nearly full: {tmp_path} (30 MB free)"


def test_each_disk_is_named_once_and_what_is_not_there_is_left_out(tmp_path, free):
    free(disk.LITTLE_BYTES / 2)
    (tmp_path / "results").mkdir()
    (tmp_path / "logs").mkdir()
    found = shortages([tmp_path / "missing", tmp_path / "results", tmp_path / "logs"])
    assert found == [f"nearly full: {tmp_path / 'results'} (50 MB free)"]
