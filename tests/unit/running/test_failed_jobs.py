import logging
import signal
from pathlib import Path

import pytest

from noisy_student.running import failed_jobs
from noisy_student.running.failed_jobs import FailedJobs, ending_of


@pytest.fixture
def log():
    """A logger like Snakemake's, with the handler as its only one."""
    logger = logging.Logger("snakemake")
    handler = FailedJobs([])
    logger.addHandler(handler)
    return logger, handler


def start(logger, jobid, rule="convert", **wildcards):
    logger.info("", extra={"event": "job_info", "jobid": jobid, "rule_name": rule, "wildcards": wildcards})


def fail(logger, jobid, said="", rule_msg=None, added=()):
    if said:
        logger.error(said, extra={"event": "error", "exception": "RuleException"})
    paths = [f"logs/convert_{jobid}.log", *added]
    extra = {"event": "job_error", "jobid": jobid, "rule_name": "convert", "log": paths, "rule_msg": rule_msg}
    logger.error("", extra=extra)


def test_a_failed_job_has_its_rule_wildcards_and_log(log):
    logger, handler = log
    start(logger, 7, shard=3)
    fail(logger, 7)
    (job,) = handler.failed.values()
    assert (job.name, job.log, job.ended_by) == ("convert shard=3", Path("logs/convert_7.log").absolute(), "")


def test_a_job_that_finished_at_a_later_try_has_not_failed(log):
    logger, handler = log
    for jobid in (1, 2):
        start(logger, jobid)
        fail(logger, jobid)
    logger.info("", extra={"event": "job_finished", "job_id": 1})
    assert list(handler.failed) == [2]


def test_what_ended_a_job_is_taken_from_its_own_words(log):
    logger, handler = log
    killed = "Command 'python convert.py > logs/convert_1.log 2>&1' died with <Signals.SIGKILL: 9>."
    logger.error(killed, extra={"event": "error", "exception": "RuleException"})
    fail(logger, 2, "Command 'python convert.py > logs/convert_2.log 2>&1' returned non-zero exit status 1.")
    fail(logger, 1)
    assert {jobid: job.ended_by for jobid, job in handler.failed.items()} == {1: "SIGKILL", 2: ""}


def test_a_clusters_word_is_kept(log):
    logger, handler = log
    fail(logger, 1, rule_msg="SLURM-job '7' failed, SLURM status is: 'OUT_OF_MEMORY'. Reason: Unknown.")
    assert handler.failed[1].ended_by == "OUT_OF_MEMORY"


FAILED = "SLURM-job '7' failed, SLURM status is: 'FAILED'. "


@pytest.mark.parametrize(
    "line",
    [
        "slurmstepd: error: Detected 1 oom_kill event in StepId=7.0. Some of the step tasks have been OOM Killed.",
        "slurmstepd: error: Detected 1 oom-kill event(s) in step 7.0 cgroup.",
        "srun: error: n3: task 0: Out Of Memory",
        "slurmstepd: error: StepId=7.0 exceeded memory limit (412880 > 358400), being killed",
    ],
)
def test_a_job_that_failed_since_a_step_ran_out_of_memory_is_known_by_the_clusters_log(log, tmp_path, line):
    logger, handler = log
    (tmp_path / "7.log").write_text(f"host: n3\n{line}\nsrun: Terminating StepId=7.0\n")
    fail(logger, 1, rule_msg=FAILED, added=[str(tmp_path / "7.log")])
    assert handler.failed[1].ended_by == "OUT_OF_MEMORY"


def test_a_full_gpu_and_a_log_that_is_not_there_are_no_lack_of_memory(log, tmp_path):
    logger, handler = log
    (tmp_path / "7.log").write_text("RuntimeError: CUDA error: out of memory\nsrun: error: n3: task 0: Exited\n")
    for jobid, path in enumerate([str(tmp_path / "7.log"), str(tmp_path / "8.log"), None]):
        fail(logger, jobid, rule_msg=FAILED, added=[path])
    assert {job.ended_by for job in handler.failed.values()} == {""}


def test_of_a_job_that_the_cluster_did_not_take_its_words_are_the_error(log):
    logger, handler = log
    words = "sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates a policy"
    message = f"SLURM sbatch failed. The error message was '{words}'.\n    sbatch call:\n        sbatch --parsable\n"
    fail(logger, 1, rule_msg=message)
    fail(logger, 2)
    assert handler.failed[1].error == words
    assert handler.failed[2].error.startswith("nothing was written to ")


def test_room_is_asked_when_a_job_fails(log, monkeypatch):
    logger, handler = log
    monkeypatch.setattr(failed_jobs, "shortages", lambda folders: ["full: results"])
    fail(logger, 1)
    assert handler.failed[1].shortages == ("full: results",)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGBUS, signal.SIGSEGV])
def test_a_shells_exit_status_tells_the_signal(number):
    assert ending_of(f"returned non-zero exit status {128 + number}.") == number.name
    assert ending_of(f"died with <Signals.{number.name}: {int(number)}>.") == number.name


@pytest.mark.parametrize("text", ["exit status 1.", "exit status 2.", "exit status 128.", "exit status 255."])
def test_a_job_that_ended_itself_was_ended_by_nothing(text):
    assert ending_of(f"returned non-zero {text}") == "" == ending_of("SLURM status is: 'FAILED'.")
