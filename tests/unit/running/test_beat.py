"""Background work that rests: what it costs at most, and that its errors end nothing."""

import time

import pytest

from noisy_student.running.beat import REST, Beat


def rests_after(durations):
    """The rests of a beat whose pieces of work take so long on its clock."""
    now, left, rests = [0.0], list(durations), []

    def work():
        now[0] += left.pop(0)

    beat = Beat("test", work, clock=lambda: now[0])
    beat.wake()
    beat.woken.wait = lambda _: True

    def rest(seconds):
        rests.append(seconds)
        if not left:
            beat.over.set()

    beat.over.wait = rest
    beat.run()
    return rests


def test_it_works_at_most_half_a_percent_of_the_time_however_often_it_is_woken():
    durations = [0.01, 0.5, 0.02, 3.0]
    rests = rests_after(durations)
    assert rests == pytest.approx([REST * seconds for seconds in durations])
    assert sum(durations) / (sum(durations) + sum(rests)) < 0.005


def test_an_error_is_said_once_in_one_line_and_the_work_goes_on(capsys):
    done = []

    def work():
        done.append(1)
        raise OSError("a\nfull disk")

    beat = Beat("page.html could not be written", work)
    beat.once()
    beat.once()
    assert len(done) == 2
    assert capsys.readouterr().err == "warning: page.html could not be written: a full disk; the run goes on\n"


def test_it_works_once_more_at_its_end_and_never_after():
    done = []
    beat = Beat("test", lambda: done.append(1))
    beat.start()
    while not done:
        time.sleep(0.001)
    beat.end()
    assert not beat.is_alive()
    assert len(done) == 2
