"""The meter on real processes."""

import os
import shlex
import sys
import time

import psutil
import pytest

from noisy_student.efficiency.meter import CommandTemplate, measure
from noisy_student.errors import InputError

TOUCH = "import pathlib, sys; pathlib.Path(sys.argv[2]).touch()"
# Half a second of CPU in the process and half in a child of it, the child holding 150 MB.
BURN = """
import pathlib, subprocess, sys, time
def burn():
    while time.process_time() < 0.5: pass
if len(sys.argv) == 2:
    held = bytearray(150 << 20)
    burn()
else:
    child = subprocess.Popen([sys.executable, "-c", sys.argv[3], "child"])
    burn()
    child.wait()
    pathlib.Path(sys.argv[2]).touch()
"""


def runs(pid: int) -> bool:
    """Whether a process has not ended; one that nobody has asked for its exit status has."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Device:
    """A GPU with the memory of our choice."""

    def used_mb(self):
        return 3000

    def used_by_mb(self, process_ids):
        return 700 if process_ids else None


@pytest.fixture
def run(tmp_path):
    def run_command(*words, limit_s=60.0, gpu=None):
        template = CommandTemplate.of(shlex.join(words))
        return measure(template, "case", tmp_path / "image", tmp_path / "output", limit_s, gpu)

    return run_command


def python(code, *more):
    return sys.executable, "-c", code, "{image}", "{output}", *more


def test_the_area_is_the_cpu_time_of_the_whole_tree(run):
    row = run(*python(BURN, BURN))
    assert row["outcome"] == "ok"
    measured_s = row["tree_cpu_area_true_percent_s"] / 100 * psutil.cpu_count()
    assert measured_s == pytest.approx(row["tree_cpu_s"], rel=0.1)
    assert row["tree_cpu_s"] >= 1
    assert 150 < row["peak_ram_mb"] < 400
    assert row["seconds"] >= 0.5


def test_a_case_shorter_than_the_interval_is_seen(run):
    row = run(*python(TOUCH))
    assert row["outcome"] == "ok"
    assert row["samples"] >= 2
    assert 0 < row["measured_seconds"] < 5
    assert row["peak_ram_mb"] > 0


def test_gpu_columns_follow_the_device(run):
    row = run(*python(TOUCH), gpu=Device())
    assert row["gpu_max_mb"] == row["gpu_stable_max_mb"] == 3000
    assert row["gpu_max_over_tolerance_mb"] == 952
    assert row["gpu_area_true_mb_s"] == pytest.approx(3000 * row["measured_seconds"])
    assert row["tree_gpu_max_mb"] == 700


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("import sys; sys.exit(3)", "failed: exit 3"),
        ("import os; os.abort()", "failed: SIGABRT"),
        ("pass", "failed: no output"),
    ],
)
def test_failures_are_told_apart(run, code, outcome):
    row = run(*python(code))
    assert row["outcome"] == outcome
    assert row["cpu_area_percent_s"] == 360_000


def test_an_output_of_an_earlier_run_does_not_count(run, tmp_path):
    (tmp_path / "output").touch()
    assert run(*python("pass"))["outcome"] == "failed: no output"


def test_a_failed_case_counts_as_long_as_a_slow_one_may_take(run):
    assert run(*python("raise SystemExit(1)"), limit_s=7200)["seconds"] == 7200


def test_the_time_limit_ends_the_whole_tree(run, tmp_path):
    note = tmp_path / "child"
    code = (
        "import pathlib, subprocess, sys, time;"
        "child = subprocess.Popen(['sleep', '60']);"
        "pathlib.Path(sys.argv[3]).write_text(str(child.pid)); time.sleep(60)"
    )
    row = run(*python(code, str(note)), limit_s=1.5)
    assert row["outcome"] == "timed out"
    assert row["seconds"] == 3600
    assert row["measured_seconds"] < 10
    child = int(note.read_text())
    # A killed process is gone when its system comes to it.
    deadline = time.monotonic() + 20
    while runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(child)


def test_the_command_gets_its_paths_as_single_words(tmp_path):
    template = CommandTemplate.of("predict --in {image} --out={output} --name {case} '{kept}'")
    words = template.words_for("a case", tmp_path / "an image", tmp_path / "out")
    assert words == ["predict", "--in", f"{tmp_path}/an image", f"--out={tmp_path}/out", "--name", "a case", "{kept}"]


def test_commands_that_cannot_work_stop():
    with pytest.raises(InputError, match=r"without \{output\}"):
        CommandTemplate.of("predict {image}")


def test_a_program_that_is_not_there_is_named(run):
    with pytest.raises(InputError, match="no-such-program"):
        run("no-such-program", "{image}", "{output}")


def test_this_process_outlives_the_measured_ones(run):
    run(*python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    assert psutil.pid_exists(os.getpid())
