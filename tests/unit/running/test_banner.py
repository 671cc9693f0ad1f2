from pathlib import Path

import pytest

from noisy_student.running import banner
from noisy_student.running.failed_jobs import FailedJob


@pytest.fixture
def job(tmp_path):
    """A failed job whose log ends with an error."""

    def make(name="convert shard=0", error="wanted: a\n   got: b\nremedy: c", **known):
        log = tmp_path / f"{name}.log"
        log.write_text(error)
        return FailedJob(name, log, **known)

    return make


def failed(*jobs, rooms=(), kills=0):
    return banner.failed(Path("/x"), "log", jobs, rooms, kills)


def test_the_error_stands_last_once_for_all_jobs_that_have_it(job):
    said = failed(job("convert shard=0"), job("convert shard=1"), job("train round=0 fold=0", "no GPU"))
    assert said.endswith(
        "\nconvert shard=0, convert shard=1:\nwanted: a\n   got: b\nremedy: c\ntrain round=0 fold=0:\nno GPU"
    )
    assert "Not finished: convert shard=0, convert shard=1, train round=0 fold=0\n" in said


def test_a_job_that_a_cluster_refused_has_no_log_but_its_reason(job):
    assert failed(job(error="", refused="sbatch: error: no such partition")).endswith(
        "\nsbatch: error: no such partition"
    )


def test_memory_is_named_only_with_evidence(job):
    assert "memory" not in failed(job()) and "memory" not in failed(job(), kills=3)
    assert "memory" not in failed(job(ended_by="SIGTERM"), kills=1)
    assert "memory ran out: the kernel ended 2 processes for it" in failed(job(ended_by="SIGKILL"), kills=2)
    assert "memory ran out: more `mem_mb`" in failed(job(ended_by="OUT_OF_MEMORY"))


def test_a_kill_without_evidence_is_named_without_a_guess(job):
    said = failed(job(ended_by="SIGKILL"))
    assert "convert shard=0 by SIGKILL" in said and "no sign that it ran out" in said and "most likely" not in said


def test_a_full_disk_is_named_even_where_the_log_is_empty(job):
    said = failed(job(error=""), rooms=["full: /x/results (No space left on device)"])
    assert "disk     full: /x/results (No space left on device); make room" in said
    assert "nothing was written to" in said.splitlines()[-1]


def test_an_end_without_a_failed_job_is_told(job):
    assert "Not finished\n" in failed()


def test_an_interruption_names_the_command_that_goes_on_and_what_had_failed_before(job):
    said = banner.interrupted("Ctrl-C", "snakemake check", [])
    assert "Interrupted (Ctrl-C)" in said and "`snakemake check` goes on where it was" in said
    assert banner.interrupted("Ctrl-C", "snakemake", [job()]).endswith("remedy: c")


def test_the_start_says_what_helps_after_a_kill():
    said = banner.started(Path("/x"), "log", 2, "snakemake --cores 8", "generated")
    assert "`snakemake --cores 8 --unlock`, then the same command" in said


def test_how_to_report_what_is_there_is_said_where_something_is(job, tmp_path):
    said = [banner.failed(tmp_path, "log", [job()], (), 0)]
    (tmp_path / banner.CASES).parent.mkdir(parents=True)
    (tmp_path / banner.CASES).touch()
    said.append(banner.failed(tmp_path, "log", [job()], (), 0))
    assert [f"of what is there: {banner.rebuild(tmp_path)}" in text for text in said] == [False, True]
