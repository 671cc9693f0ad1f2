"""Too little disk or memory, killed jobs, a second Snakemake: a clear stop, then the undisturbed results."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from faulty_project import EVERYTHING, FaultyProject, Moment, target_of

CGROUPS = Path("/sys/fs/cgroup/memory")
ROOMY = "2g"
ROOT_ALONE = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk, or limiting memory, takes root")

# The room in kB that is left for a stage.
ROOM_KB = {"convert": 900, "preprocess": 500, "training_set": 12, "train": 700, "pseudo_label": 16, "report": 300}


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Move a folder onto a disk of its own in memory, for as long as the block lasts."""
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", folder], check=True)
    try:
        subprocess.run(["cp", "-a", f"{aside}/.", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        shutil.rmtree(aside)


def leave(folder: Path, room_kb: int | None) -> None:
    """Leave so much room on the folder's disk; None: plenty."""
    used_kb = shutil.disk_usage(folder).used // 1024
    size = ROOMY if room_kb is None else f"{used_kb + room_kb}k"
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)


@ROOT_ALONE
@pytest.mark.parametrize("stage", ROOM_KB)
def test_a_full_disk_stops_the_run_and_leaves_nothing_damaged(undisturbed, stage, tmp_path, survived):
    project = undisturbed.before(stage, tmp_path / "project")
    with small_disk(project.folder / "results"):
        leave(project.folder / "results", ROOM_KB[stage])
        run = project.try_run(target_of(stage))
        assert run.returncode, "there was room enough"
        assert "free on its disk" in run.stdout, run.stdout[-4000:]
        failed = project.spent_s()
        leave(project.folder / "results", None)
        project.finish(target_of(stage))
        assert project.results() == undisturbed.results()
    survived(stage, "disk full", "stopped, named file and remedy; finished once there was room", failed)


@ROOT_ALONE
@pytest.mark.skipif(not CGROUPS.is_dir(), reason="needs memory cgroups (version 1)")
@pytest.mark.parametrize("stage", ["preprocess", "train", "pseudo_label"])
def test_a_job_with_too_little_memory_is_killed_and_finishes_with_enough(undisturbed, stage, tmp_path, survived):
    project = undisturbed.before(stage, tmp_path / "project")
    group = CGROUPS / f"faults_{os.getpid()}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text("350M")
        enter = ("sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh")
        run = project.try_run(target_of(stage), before=enter)
        assert run.returncode, "there was memory enough"
    finally:
        while (group / "cgroup.procs").read_text():
            time.sleep(0.1)
        group.rmdir()
    assert "memory ran out" in run.stdout, run.stdout[-4000:]
    failed = project.spent_s()
    project.finish(target_of(stage))
    assert project.results() == undisturbed.results()
    survived(stage, "350 MB of memory for Snakemake and its jobs", "stopped, named the reason; finished", failed)


JOBS = {
    "pseudo_label": Moment("predict.py", "pseudo_labels/*.nii.gz", 2),
    "train": Moment("train.py", "checkpoint_latest.pth", 2),
    "training_set": Moment("make_training_set.py", "_seg.b2nd"),
}


@pytest.mark.parametrize("stage", JOBS)
def test_a_job_that_is_killed_alone_stops_the_run(undisturbed, stage, tmp_path, survived):
    project = undisturbed.before(stage, tmp_path / "project")
    said = project.end_at(JOBS[stage], 9, "job", target_of(stage))
    assert f"Error in rule {stage}" in said and "by SIGKILL" in said and "no sign that it ran out" in said
    failed = project.spent_s()
    project.finish(target_of(stage))
    assert project.results() == undisturbed.results()
    survived(stage, f"SIGKILL to the job alone, {JOBS[stage]}", "stopped, named the reason; finished", failed)


def test_a_second_snakemake_is_refused_and_the_first_finishes(undisturbed, tmp_path, survived):
    project = undisturbed.before("train", tmp_path / "project")
    final, log = target_of("train"), project.folder / "logs/round_1/train_fold_0.log"
    first = _started(project, final)
    while not list((project.folder / "results").glob("round_1/model/fold_0/progress.tsv")):
        assert first.poll() is None
        time.sleep(0.05)
    training = int(project.file("round_1/model/fold_0/.lock").read_text().split()[1])
    os.kill(training, signal.SIGSTOP)
    try:
        second = project.run(*EVERYTHING)
        assert second.returncode and "Directory cannot be locked" in second.stdout, second.stdout[-3000:]
        # One who takes the lock away all the same.
        assert project.run("--unlock").returncode == 0
        third = _started(project, final)
        while f"waiting for process {training} " not in log.read_text():
            assert third.poll() is None
            time.sleep(0.05)
    finally:
        os.kill(training, signal.SIGCONT)
    assert third.wait() == 0
    first.wait()
    project.finish(final)
    assert project.results() == undisturbed.results()
    survived("train", "a second Snakemake, and a third without the lock", "refused; waited; same results")


def _started(project: FaultyProject, target: str) -> subprocess.Popen:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(project.command(target), cwd=project.folder, env=project.environment(), **quiet)
