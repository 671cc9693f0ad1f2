"""Work over processes and threads: results in order, progress in words."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from conftest import ROOT
from noisy_student import parallel
from noisy_student.parallel import in_order, in_threads, overlapped, with_progress


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such signal")
def test_what_a_killed_process_forked_ends_too():
    code = """
import os, time
from noisy_student.parallel import end_children_with_this_process
end_children_with_this_process()
if not os.fork():
    print(os.getpid(), flush=True)
time.sleep(60)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")}
    # The pipe is open as long as one of the two lives.
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    parent.stdout.readline()
    start = time.monotonic()
    parent.send_signal(signal.SIGKILL)
    assert parent.stdout.read() == "" and time.monotonic() - start < 30
    parent.wait()


def process_of(item):
    return item, os.getpid()


@pytest.mark.parametrize(("cores", "patience_s", "here"), [(1, 0, 3), (2, 60, 3), (2, 0.2, 1), (2, 0, 0)])
def test_results_come_in_order_and_long_work_is_spread_over_processes(cores, patience_s, here, monkeypatch, capsys):
    monkeypatch.setattr(parallel, "SECONDS_A_PROCESS_COSTS", patience_s)
    found = []
    for result in in_order(process_of, [-3, 2, -1], cores, "counting"):
        found.append(result)
        time.sleep(0.2)
    assert [item for item, _ in found] == [-3, 2, -1]
    assert [process == os.getpid() for _, process in found] == [True] * here + [False] * (3 - here)
    assert "counting: 3 of 3, " in capsys.readouterr().err


def frozen(_item):
    return gc.get_freeze_count() > 0


def test_what_a_process_has_imported_is_no_garbage_to_look_for(monkeypatch):
    monkeypatch.setattr(parallel, "SECONDS_A_PROCESS_COSTS", 0)
    assert list(in_order(frozen, [1, 2], 2, "looking")) == [True, True]


def test_threads_work_at_the_same_time_and_results_come_in_order(capsys):
    both = threading.Barrier(2, timeout=10)

    def work(item):
        both.wait()
        time.sleep(0.2 if item == 0 else 0)
        return item * 10

    assert list(in_threads(work, range(4), 2, "labelling")) == [0, 10, 20, 30]
    assert "labelling: 4 of 4, " in capsys.readouterr().err


def test_an_error_in_a_thread_ends_the_work():
    done = []

    def work(item):
        if item == 2:
            raise ValueError("item 2")
        done.append(item)
        time.sleep(0.01)

    with pytest.raises(ValueError, match="item 2"):
        list(in_threads(work, range(1000), 1, "labelling"))
    assert len(done) < 999


@pytest.mark.parametrize(
    ("seconds", "done", "said"),
    [(2, 1, "30 a minute, 18 s left"), (30, 1, "2 a minute, 4 min left"), (1800, 1, "0.0333 a minute, 4.5 h left")],
)
def test_pace_and_time_left_are_in_units_that_a_person_would_use(monkeypatch, capsys, seconds, done, said):
    clock = iter(range(0, 100 * seconds, seconds))
    monkeypatch.setattr(parallel.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(parallel, "SECONDS_BETWEEN_LINES", 0)
    list(with_progress(iter(range(10)), 10, "labelling"))
    assert f"labelling: {done} of 10, {said}\n" in capsys.readouterr().err


def test_on_a_terminal_a_bar_fills_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(parallel.sys.stderr, "isatty", lambda: True, raising=False)
    list(with_progress(iter(range(4)), 4, "labelling"))
    lines = capsys.readouterr().err.split("\r")
    assert [line.count("#") for line in lines] == [0, 7, 15, 22, 30]
    assert "labelling: 2 of 4" in lines[2] and lines[-1].endswith("\n") and "\n" not in lines[2]


def identity(item):
    return item


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_overlapping_results_come_in_the_order_of_the_items(count):
    found = overlapped(range(count), lambda item: item + 1, lambda item: item * 10, lambda item: item + 3)
    assert list(found) == [(item + 1) * 10 + 3 for item in range(count)]


def test_the_next_is_read_and_the_last_one_finished_during_work():
    meeting = threading.Barrier(3, timeout=10)

    def meet_at(expected):
        def step(item):
            if item == expected:
                meeting.wait()
            return item

        return step

    # Each of the three waits for the two others: this ends only if they run at the same time.
    assert list(overlapped([0, 1, 2], meet_at(2), meet_at(1), meet_at(0))) == [0, 1, 2]


def test_while_the_first_is_read_something_else_is_done():
    both = threading.Barrier(2, timeout=10)

    def read(item):
        if item == 0:
            both.wait()
        return item

    assert list(overlapped([0, 1], read, identity, identity, both.wait)) == [0, 1]


def test_nothing_is_read_further_ahead_than_one_item():
    read, finished, most = [], [], 0

    def work(item):
        nonlocal most
        most = max(most, len(read) - len(finished))
        return item

    list(overlapped(range(20), lambda item: read.append(item) or item, work, lambda item: finished.append(item)))
    assert len(finished) == 20 and most <= 3


@pytest.mark.parametrize("step", range(3))
def test_an_error_of_any_step_comes_out(step):
    def fail(item):
        if item == 1:
            raise ValueError("item 1")
        return item

    steps = [fail if number == step else identity for number in range(3)]
    with pytest.raises(ValueError, match="item 1"):
        list(overlapped(range(4), *steps))
