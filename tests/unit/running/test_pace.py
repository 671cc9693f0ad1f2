"""What a job's log says of its progress."""

import time

import pytest

from noisy_student.parallel import with_progress
from noisy_student.running.live.pace import pace


def test_the_lines_that_jobs_write_are_understood(tmp_path, capsys):
    list(with_progress(range(40), 40, "labelling"))
    (tmp_path / "log").write_text("labelling: 4 of 40, 1.2e+03 a minute, 2 s left\n" + capsys.readouterr().err)
    said = pace(tmp_path / "log", 0)
    assert (said.verb, said.done, said.total) == ("labelling", 40, 40) and said.a_minute > 100


def test_the_last_line_counts_and_gives_the_time_left(tmp_path):
    (tmp_path / "log").write_text(
        "x" * 10_000 + "\nlabelling: 4 of 40, 9 a minute, 4 min left\nlabelling: 10 of 40, 6 a minute, 5 min left\n"
    )
    assert pace(tmp_path / "log", 0).seconds_left == pytest.approx(300)


def test_what_an_earlier_job_left_does_not_count(tmp_path):
    (tmp_path / "log").write_text("labelling: 4 of 40, 9 a minute, 4 min left\n")
    assert pace(tmp_path / "log", time.time() + 60) is None


@pytest.mark.parametrize("text", ["", "Traceback\n", "\x00\xff"])
def test_a_log_without_such_a_line_says_nothing(tmp_path, text):
    (tmp_path / "log").write_text(text)
    assert pace(tmp_path / "log", 0) is None
    assert pace(tmp_path / "none", 0) is None
