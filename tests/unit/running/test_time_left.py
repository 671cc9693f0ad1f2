"""How long a run will take yet."""

import pytest

from noisy_student.running.live.jobs import Job
from noisy_student.running.live.time_left import time_left, usual_seconds


def jobs(*needs, shares=None):
    return {n: Job(n, "rule", "stage", {}, frozenset(of), shares or {}) for n, of in enumerate(needs)}


def test_jobs_that_wait_for_each_other_add_up():
    assert time_left(jobs((), (0,), (1,), (0,)), {0: 10.0, 1: 5.0, 2: 1.0, 3: 2.0}) == 16


def test_jobs_that_share_a_resource_do_too():
    folds = jobs((), (), (), (), shares={"gpu": 0.5, "_cores": 0.25})
    assert time_left(folds, dict.fromkeys(folds, 10.0)) == 20


def test_what_is_done_or_unknown_takes_no_time_and_what_follows_still_counts():
    assert time_left(jobs((), (0,), (1,)), {2: 4.0}) == 4


def test_a_job_that_the_plan_does_not_have_is_no_obstacle():
    assert time_left(jobs((7,)), {0: 3.0}) == 3


def test_nothing_left_takes_no_time():
    assert time_left({}, {}) == 0


def test_a_rule_takes_what_its_finished_jobs_took_in_the_middle():
    ended = [{"rule": "select", "state": "finished", "seconds": seconds} for seconds in ("1", "2", "90")]
    assert usual_seconds([*ended, {"rule": "train", "state": "failed", "seconds": "5"}]) == {"select": pytest.approx(2)}
