"""What is recorded of a run's jobs, from records as Snakemake's logger gives them."""

import json
import logging

import pytest

from conftest import script
from noisy_student.running.job_record import COLUMNS, JobRecord
from noisy_student.tables import read_table

START = {"event": "job_info", "jobid": 3, "rule_name": "train", "wildcards": {"round": "1", "fold": "0"}}


@pytest.fixture
def log(tmp_path):
    log = logging.Logger("snakemake")
    log.addHandler(JobRecord(tmp_path / "results/jobs.tsv"))
    return log


def rows(tmp_path):
    return read_table(tmp_path / "results/jobs.tsv", COLUMNS)


def test_a_job_that_failed_and_was_tried_again_has_a_row_for_each_attempt(log, tmp_path):
    log.info("", extra=START)
    log.error("", extra={"event": "job_error", "jobid": 3, "rule_name": "train"})
    log.info("", extra=START)
    log.info("", extra={"event": "job_finished", "job_id": 3})
    table = rows(tmp_path)
    assert table["state"].tolist() == ["failed", "finished"]
    assert set(table["rule"]) == {"train"} and set(table["wildcards"]) == {"round=1 fold=0"}
    assert (table["seconds"] >= 0).all()


def test_a_later_run_adds_to_the_table(log, tmp_path):
    for _ in range(2):
        again = logging.Logger("snakemake")
        again.addHandler(JobRecord(tmp_path / "results/jobs.tsv"))
        again.info("", extra=START)
        again.info("", extra={"event": "job_finished", "job_id": 3})
    assert len(rows(tmp_path)) == 2


@pytest.mark.parametrize("torn", ["rule\twildc", "\t".join(COLUMNS) + "\ntrain\tround=0 fo"])
def test_a_row_that_was_cut_off_is_taken_away_when_the_next_run_starts(tmp_path, torn):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/jobs.tsv").write_text(torn)
    log = logging.Logger("snakemake")
    log.addHandler(JobRecord(tmp_path / "results/jobs.tsv"))
    log.info("", extra=START)
    log.info("", extra={"event": "job_finished", "job_id": 3})
    assert rows(tmp_path)["wildcards"].tolist() == ["round=1 fold=0"]


def test_what_never_started_or_is_no_job_leaves_no_row(log, tmp_path):
    log.info("hello")
    log.info("", extra={"event": "job_finished", "job_id": 7})
    log.info("", extra=START)
    assert not (tmp_path / "results/jobs.tsv").exists()


def test_run_record_has_every_job_the_start_of_the_first_and_the_sets(tmp_path):
    lines = ["\t".join(COLUMNS), "convert\tshard=0\tfinished\t2026-01-01T00:00:00+00:00\t3.5",
             "report\t\tfailed\t2026-01-01T00:01:00+00:00\t1.0", ""]  # fmt: skip
    (tmp_path / "jobs.tsv").write_text("\n".join(lines))
    rows = ["role\tsource", "labelled\tclinic", "test\tinternal", "test\texternal", "test\texternal", ""]
    (tmp_path / "cases.tsv").write_text("\n".join(rows))
    settings = json.dumps({"seed": 1, "rounds": [{}]})
    where = ("--configuration", settings, "--jobs", tmp_path / "jobs.tsv", "--output", tmp_path / "run.json")
    where = [*where, "--call", tmp_path / "call.json"]
    fold = tmp_path / "round_0/model/fold_0"
    fold.mkdir(parents=True)
    (fold / "checkpoint_final.pth").write_text("weights")
    (fold / "versions.json").write_text('[{"torch": "1.0"}]')
    files = (tmp_path / "jobs.tsv", fold / "checkpoint_final.pth")
    run = script("make_run_record.py", *files, *where, "--cases", tmp_path / "cases.tsv")
    assert run.returncode == 0, run.stderr
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["trained_with"] == {"round_0/fold_0": [{"torch": "1.0"}]} and record["versions"]["torch"] != "1.0"
    assert record["sets"] == {"test": {"internal": 1, "external": 2}}
    assert record["started"] == "2026-01-01T00:00:00+00:00"
    assert [(job["rule"], job["wildcards"], job["state"], job["seconds"]) for job in record["jobs"]] == [
        ("convert", "shard=0", "finished", 3.5),
        ("report", "", "failed", 1.0),
    ]
