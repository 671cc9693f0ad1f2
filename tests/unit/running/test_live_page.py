"""The live page: what stands on it while a run goes on, at its end and after a kill, and that it disturbs nothing."""

import html
import json
import logging
import re
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from browser import CHROMIUM, Browser
from noisy_student.running.ending import Ending
from noisy_student.running.live.jobs import Job
from noisy_student.running.live.page import LivePage
from noisy_student.running.live.trainings import Length
from noisy_student.running.live.warnings import warnings

HEADER = "rule\twildcards\tstate\tstarted\tseconds\n"
EPOCHS = "epoch\tlearning_rate\ttraining_loss\tvalidation_loss\tvalidation_dice\tseconds\n"
LENGTHS = {name: Length("coarse", 10, 5) for name in "01"}


def job(number, rule, stage, needs=(), made=False, **wildcards):
    return Job(number, rule, stage, wildcards, frozenset(needs), {"_cores": 1.0}, made)


JOBS = {
    job.number: job
    for job in [
        job(0, "convert", "cohort", made=True, shard="0"),
        job(1, "train", "train", [0], round="0", fold="0"),
        job(2, "pseudo_label", "label", [1], round="1", shard="0"),
        job(3, "train", "train", [2], round="1", fold="0"),
        job(4, "report", "report", [3]),
    ]
}


class Run:
    """A run as Snakemake's log tells it, and its page."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results = folder, folder / "results"
        self.results.mkdir()
        self.log = logging.Logger("snakemake")
        self.ending = Ending(folder, "snakemake --cores 2")
        self.live = LivePage(folder, "snakemake --cores 2", LENGTHS, self.ending)
        self.live.jobs = JOBS
        self.log.addHandler(self.live.states)
        self.log.addHandler(self.ending.jobs)

    def start(self, number):
        job = JOBS[number]
        about = {"rule_name": job.rule, "wildcards": dict(job.wildcards), "log": [str(self.log_of(number))]}
        self.log.info("", extra={"event": "job_info", "jobid": number, **about})

    def finish(self, number):
        self.log.info("", extra={"event": "job_finished", "job_id": number})

    def fail(self, number):
        about = {"rule_name": JOBS[number].rule, "rule_msg": "", "log": [str(self.log_of(number))]}
        self.log.error("", extra={"event": "job_error", "jobid": number, **about})

    def log_of(self, number):
        return self.folder / f"logs/{number}.log"

    def write(self, path, text):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def epochs(self, number, count, loss="1.5"):
        rows = [f"{epoch}\t0.01\t{loss}\t1.7\t0.{epoch}\t6\n" for epoch in range(count)]
        self.write(f"results/round_{number}/model/fold_0/progress.tsv", EPOCHS + "".join(rows))

    def page(self):
        self.live.beat.once()
        text = re.sub(r"<(style|script)>.*?</\1>", "", self.live.page.read_text(), flags=re.S)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_it_says_what_is_done_runs_and_is_to_come(run):
    run.start(1)
    run.epochs(0, 4)
    text = run.page()
    assert "1 of 5" in text and "train round=0 fold=0 for" in text
    assert "Round 0, fold 0 4 of 10 epochs loss 1.500, validation 1.700, Dice 0.3" in text
    assert "train 0 of 1, 1 at work" in text and "cohort 1 of 1" in text
    run.finish(1)
    assert "train 1 of 1" in run.page() and "at work" not in run.page()


def test_the_student_made_to_be_deployed_stands_after_the_rounds(run):
    last = job(5, "train", "train", [3], round="deploy", fold="0")
    run.live.jobs, run.live.lengths = JOBS | {5: last}, LENGTHS | {"deploy": Length("small", 10, 5)}
    run.epochs("deploy", 4, loss="nan")
    text = run.page()
    order = [text.index(name) for name in ("Round 1, student", "Student made to be deployed train", "After")]
    assert order == sorted(order) and "Student made to be deployed, fold 0 4 of 10 epochs" in text
    assert "Student made to be deployed, fold 0: the loss is no number any more." in text


def test_the_time_left_is_that_of_epochs_and_of_rules_and_says_what_it_does_not_know(run):
    run.start(1)
    assert "time left not known yet" in run.page()
    run.epochs(0, 4)
    # Six epochs of 6 s, then as many steps of the student as the teacher has; labelling and report are unknown.
    assert "at least 96 s" in run.page() and "without 2 jobs of kinds that have not ended yet" in run.page()
    run.write("results/jobs.tsv", HEADER + "pseudo_label\tround=1 shard=0\tfinished\tx\t40\nreport\t\tfinished\tx\t9\n")
    assert "about 2 min" in run.page() and run.live.values()["left"] == pytest.approx(36 + 40 + 60 + 9, abs=1)


def test_a_training_that_is_kept_takes_what_is_left_of_it(run):
    """Snakemake lists its job wherever scans are others, though it ends at once."""
    run.epochs(0, 10)
    run.epochs(1, 7)
    run.write("results/jobs.tsv", HEADER + "pseudo_label\tround=1 shard=0\tfinished\tx\t40\nreport\t\tfinished\tx\t9\n")
    others = 40 + 9
    assert run.live.values()["left"] == pytest.approx(60 + 60 + others)
    run.live.kept = [("0", 0)]
    assert run.live.values()["left"] == pytest.approx(60 + others)
    run.live.kept = [("0", 0), ("1", 0)]
    assert run.live.values()["left"] == pytest.approx(3 * 6 + others)


def test_scans_a_minute_are_those_of_the_jobs_at_it_and_then_of_the_last_one(run):
    run.start(3)
    run.write("logs/3.log", "labelling: 9 of 9, 1000 a minute, 0 s left\n")
    assert "scans labelled" not in run.page()
    run.start(2)
    run.write("logs/2.log", "labelling: 4 of 40, 12 a minute, 3 min left\n")
    assert "12 a minute 1 job at it" in run.page() and "labelling, 4 of 40" in run.page()
    run.finish(2)
    assert "12 a minute in pseudo_label round=1 shard=0, which has ended" in run.page()


def test_a_failed_job_has_its_message_and_a_link_to_its_log(run):
    run.start(1)
    run.write("logs/1.log", "Traceback (most recent call last):\n  File x\nValueError: <b>no</b> organ\n")
    run.fail(1)
    text = run.page()
    assert "ValueError: <b>no</b> organ" in text and "train 0 of 1, 1 failed" in text
    assert 'href="../../logs/1.log"' in run.live.page.read_text()
    run.start(1)
    run.finish(1)
    assert "1 failed" not in run.page() and not run.live.values()["failed"]
    assert "train round=0 fold=0 failed and was tried again." in run.page()


def test_jobs_that_ended_with_an_interrupted_run_have_not_failed(run):
    for number in (1, 2):
        run.start(number)
        run.write(f"logs/{number}.log", "KeyboardInterrupt")
    run.fail(1)
    run.ending.interrupted_by, run.ending.failed_before = "Ctrl-C", run.ending._failed()
    run.fail(2)
    run.live.over = run.live._how_it_ended()
    text = run.page()
    assert "train 0 of 1, 1 failed" in text and "label 0 of 1 " in text and "tried again" not in text


def test_warnings_are_those_of_the_tables(run):
    run.epochs(0, 2, loss="nan")
    run.write("results/round_1/verdict.json", json.dumps({"labeller": 0, "reasons": ["spleen lost"], "stopped": ""}))
    run.write("results/round_1/selection.tsv", "case\tdecision\na\tdropped\nb\tdropped\n")
    run.write("results/cohort/findings.tsv", "case\tseverity\na\twarning\nb\tnote\n")
    text = run.page()
    for said in (
        "Round 0, fold 0: the loss is no number any more.",
        "Round 1 collapsed (spleen lost): round 0 labels on in its place.",
        "Round 1: none of 2 pseudo-labels was kept.",
        "The check of the scans reported 1 warning: results/cohort/findings.tsv.",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("done", "by", "said"),
    [
        (True, "", "Done at"),
        (False, "Ctrl-C", "interrupted (Ctrl-C) After"),
        (False, "", "not finished After"),
    ],
)
def test_at_the_end_it_says_how_the_run_ended_and_links_the_report(run, done, by, said):
    run.write("results/report/report.html", "")
    run.ending.done, run.ending.interrupted_by = done, by
    run.start(1)
    run.live.over = run.live._how_it_ended()
    text = run.page()
    assert said in text and "at work" not in text and "time left" not in text
    assert ('<a href="report.html">' in run.live.page.read_text()) == done


def test_rubbish_on_disk_is_said_and_takes_nothing_else_away(run):
    run.start(1)
    run.write("results/jobs.tsv", "\x00rubbish\tx\n1\t2\n")
    run.write("results/round_0/model/fold_0/progress.tsv", EPOCHS + "0\t0.1\tx\t\t\t\n")
    run.write("results/round_1/verdict.json", "{")
    run.write("logs/1.log", "\x00\xff")
    text = run.page()
    assert "Not read for this page: the trainings' tables" in text and "train round=0 fold=0 for" in text


@pytest.mark.parametrize(
    ("total", "free", "said"),
    [(500e12, 9e12, None), (500e12, 9e9, "9.0 GB"), (100e9, 9e9, None), (100e9, 1e9, "1.0 GB")],
)
def test_a_disk_with_little_room_is_said(tmp_path, monkeypatch, total, free, said):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=total, free=free))
    found = warnings(tmp_path, [], [])
    assert found == ([f"The disk is nearly full: {said} free."] if said else [])


def test_a_run_goes_on_where_the_page_cannot_be_written(run, capsys):
    run.write("results/report", "a file where the folder should be")
    run.live.beat.once()
    run.live.beat.once()
    assert capsys.readouterr().err.count("warning: results/report/live.html could not be written") == 1
    (run.results / "report").unlink()
    assert "1 of 5" in run.page()
    shutil.rmtree(run.results)
    assert "1 of 5" in run.page()


def test_a_plan_that_cannot_be_read_is_a_warning(run, capsys):
    run.live.begin(SimpleNamespace(dag=None))
    assert capsys.readouterr().err.startswith("warning: results/report/live.html could not be written: ")


def test_stages_stand_before_the_rounds_that_need_them(run):
    assert [group["name"] for group in run.live.values()["stages"]] == [
        "Before the rounds", "Round 0, teacher", "Round 1, student", "After the rounds"]  # fmt: skip
    run.live.jobs = {0: JOBS[0]}
    assert [group["name"] for group in run.live.values()["stages"]] == ["Before the rounds"]


@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")
def test_a_browser_says_since_when_nothing_was_heard(run, tmp_path):
    run.start(1)
    run.page()
    browser = Browser(tmp_path / "profile")
    hidden = "document.getElementById('silence').hidden"
    try:
        browser.open(run.live.page, 400)
        browser.wait_for("document.readyState === 'complete'")
        assert browser.ask(hidden)
        assert browser.ask("document.documentElement.scrollWidth <= innerWidth")
        # As a run leaves it that was killed an hour ago.
        text = run.live.page.read_text()
        run.live.page.write_text(re.sub(r"written = \d+", f"written = {(time.time() - 3600) * 1000:.0f}", text))
        browser.open(run.live.page, 400)
        browser.wait_for(f"!{hidden}")
        assert "60 min ago" in browser.ask("document.getElementById('age').textContent")
    finally:
        browser.close()
