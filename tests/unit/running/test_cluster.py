"""Jobs in SLURM's queue that an earlier Snakemake of this folder left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from noisy_student.errors import InputError
from noisy_student.running import cluster
from noisy_student.running.cluster import jobs_left, living_snakemake, parse_queue, refuse_second_copies

RUN = "0b0c6f35-9a39-4f0e-8d4d-0d9c6a0f2f11"
HERE = Path("/data/study")
ME = cluster.me()


def line(number="7", state="RUNNING", name=RUN, comment="rule_train_wildcards_1_0", place=HERE, user=ME):
    return f"{number}|{state}|{user}|{name}|{comment}|{place}\n"


def test_a_job_is_told_by_its_number_state_rule_and_wildcards():
    (job,) = parse_queue(line(), HERE)
    assert str(job) == "7 (running) train 1_0"


@pytest.mark.parametrize("name", [RUN, f"my_prefix_{RUN}"])
@pytest.mark.parametrize("state", ["RUNNING", "PENDING", "COMPLETING", "SUSPENDED", "CONFIGURING"])
def test_every_job_that_has_not_ended_counts(name, state):
    assert len(parse_queue(line(name=name, state=state), HERE)) == 1


@pytest.mark.parametrize(
    "other",
    [line(place="/data/other"), line(name="bash"), line(state="COMPLETED"), line(state="TIMEOUT"), "\n"],
    ids=["another folder", "not Snakemake's", "completed", "timed out", "empty"],
)
def test_jobs_of_others_and_jobs_that_ended_do_not_count(other):
    assert [job.number for job in parse_queue(other + line(), HERE)] == ["7"]


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """An `squeue` that shows one state of the queue after the other, and an `scancel` that writes down its words."""
    (tmp_path / "squeue").write_text(
        f"#!/bin/sh\ncd {tmp_path}\nfirst=$(ls queue_* 2>/dev/null | head -n 1)\n"
        '[ -n "$first" ] && cat "$first" && rm "$first"\nexit 0\n'
    )
    (tmp_path / "scancel").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/cancelled\n')
    for name in ("squeue", "scancel"):
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def test_waiting_ends_with_the_last_job_and_cancels_only_what_does_not_run(slurm, capsys):
    running, pending = line("1", place=slurm), line("2", "PENDING", place=slurm)
    (slurm / "queue_0").write_text(running + pending)
    (slurm / "queue_1").write_text(running)
    cluster.wait_for_jobs(slurm, cancel_running=False, poll_seconds=0)
    assert not list(slurm.glob("queue_*"))
    assert (slurm / "cancelled").read_text().splitlines() == ["--state=PENDING 1 2", "--state=PENDING 1"]
    assert capsys.readouterr().err.splitlines() == [
        "waiting for SLURM job 1 (running) train 1_0",
        "cancelling SLURM job 2 (pending) train 1_0",
    ]


def test_cancelling_ends_those_that_run_too(slurm):
    (slurm / "queue_0").write_text(line("1", place=slurm))
    cluster.wait_for_jobs(slurm, cancel_running=True, poll_seconds=0)
    assert (slurm / "cancelled").read_text() == "1\n"


def test_another_persons_jobs_are_waited_for_and_never_cancelled(slurm, capsys):
    (slurm / "queue_0").write_text(line("1", place=slurm) + line("2", "PENDING", place=slurm, user="another"))
    cluster.wait_for_jobs(slurm, cancel_running=True, poll_seconds=0)
    assert (slurm / "cancelled").read_text() == "1\n"
    assert "waiting for SLURM job 2 (pending) train 1_0 of another" in capsys.readouterr().err
    (slurm / "queue_0").write_text(line("2", place=slurm, user="another"))
    with pytest.raises(InputError, match=r"1 in the queue: 2 .* of another"):
        refuse_second_copies(slurm)


def test_another_persons_snakemake_may_be_the_one_that_locked_the_folder(tmp_path, monkeypatch, not_allowed):
    process = tmp_path / "proc/123"
    process.mkdir(parents=True)
    (process / "cmdline").write_bytes(b"python\0/opt/bin/snakemake\0--cores\x008")
    monkeypatch.setattr(cluster, "PROCESSES", tmp_path / "proc")
    not_allowed("readlink", process / "cwd")
    assert living_snakemake(tmp_path) == []
    cluster.refuse_two_snakemakes(tmp_path)
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.input.lock").touch()
    with pytest.raises(InputError, match=r"process 123 of another person(.|\n)*ask whose it is"):
        cluster.refuse_two_snakemakes(tmp_path)


def test_second_copies_are_refused_with_the_jobs_and_the_remedy(slurm):
    refuse_second_copies(slurm)
    (slurm / "queue_0").write_text("".join(line(str(number), place=slurm) for number in range(6)))
    with pytest.raises(InputError, match=r"6 in the queue: 0 \(running\) train 1_0, .*…(.|\n)*start_on_slurm.py"):
        refuse_second_copies(slurm)


def test_a_queue_that_cannot_be_asked_is_no_empty_queue(slurm):
    (slurm / "squeue").write_text("#!/bin/sh\necho no controller >&2\nexit 1\n")
    with pytest.raises(InputError, match="no controller"):
        jobs_left(slurm)


@pytest.mark.parametrize(("options", "seen"), [((), True), (("--mode", "remote"), False)], ids=["its own", "a job's"])
def test_a_living_snakemake_is_seen_in_its_own_folder_alone(tmp_path, options, seen):
    (tmp_path / "snakemake").write_text("import sys; print(flush=True); sys.stdin.read()")
    with subprocess.Popen(
        [sys.executable, tmp_path / "snakemake", *options], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        assert living_snakemake(tmp_path) == ([process.pid] if seen else [])
        assert living_snakemake(tmp_path.parent) == []
        process.stdin.close()
    assert living_snakemake(tmp_path) == []
