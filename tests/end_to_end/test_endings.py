"""Runs that are ended from outside: what is said last is what to type, and that works."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time

import pytest

from project import Project

TARGET = "results/cohort/embedded.done"
LOG = "logs/cohort/embedded_cohort.log"
SCANS = {"labelled": 2, "unlabelled": 1, "validation": 1, "test": 1}


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project", cohort={"embedded": SCANS})


@pytest.fixture
def full_results(project):
    """Results and logs on a disk without a byte of room."""
    results = project.folder / "results"
    results.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(results)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    (results / "logs").mkdir()
    (project.folder / "logs").symlink_to("results/logs")
    (results / "fill").write_bytes(bytes(shutil.disk_usage(results).free))
    yield results
    subprocess.run(["umount", "-l", results], check=True)


def end(project, number):
    """Run until the first job is at work, and end everything at once; what was said."""
    with (project.folder / "said").open("w") as stream:
        run = subprocess.Popen(
            project.command(TARGET), cwd=project.folder, env=project.environment(),
            stdout=stream, stderr=stream, start_new_session=True,
        )  # fmt: skip
    while not (project.folder / LOG).exists():
        assert run.poll() is None, (project.folder / "said").read_text()
        time.sleep(0.05)
    os.killpg(run.pid, number)
    assert run.wait()
    return (project.folder / "said").read_text()


def follow(project, said):
    """Type the last command that stands between backquotes."""
    words = shlex.split(re.findall("`(snakemake [^`]+)`", said)[-1])
    command = [project.command()[0], *words[1:]]
    return subprocess.run(command, cwd=project.folder, env=project.environment(), capture_output=True, check=False)


def test_after_ctrl_c_the_same_command_goes_on(project):
    said = end(project, signal.SIGINT)
    assert "Interrupted (Ctrl-C)" in said.splitlines()[-3] and "Not finished" not in said, said
    assert follow(project, said).returncode == 0
    assert (project.folder / TARGET).exists()


def test_after_a_kill_start_and_next_message_say_how_the_lock_is_taken_away(project):
    started = end(project, signal.SIGKILL)
    again = project.run(TARGET)
    assert again.returncode and "The folder is locked" in again.stdout.splitlines()[-1], again.stdout
    assert re.findall("`(snakemake [^`]+)`", started) == re.findall("`(snakemake [^`]+)`", again.stdout)
    assert follow(project, again.stdout).returncode == 0
    assert project.run(TARGET).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_full_disk_is_named_where_the_log_could_not_be_written(project, full_results):
    run = project.run(TARGET)
    assert run.returncode and (project.folder / LOG).read_text() == "", run.stdout
    assert f"disk     full: {full_results} (No space left on device); make room" in run.stdout, run.stdout
    assert run.stdout.splitlines()[-1] == f"nothing was written to {project.folder / LOG}"
