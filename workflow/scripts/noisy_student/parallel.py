"""Work spread over processes or overlapping in threads, with progress a person can read."""

import ctypes
import gc
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from noisy_student.sizes import three_digits, time_in_words

Item = TypeVar("Item")
Read = TypeVar("Read")
Worked = TypeVar("Worked")
Result = TypeVar("Result")
SECONDS_BETWEEN_LINES = 5.0
BAR_WIDTH = 30
# To start one and to import what a rule's script does.
SECONDS_A_PROCESS_COSTS = 3.0
PARENT_DEATH_SIGNAL = 1  # of prctl(2)


def in_order(
    work: Callable[[Item], Result], items: Sequence[Item], cores: int, verb: str, together: int = 1
) -> Iterator[Result]:
    """Yield `work(item)` in the order of the items, over `cores` processes, which are given some items `together`.

    A process imports everything anew, so none is started for less work than that: the first items are done here.
    """
    yield from with_progress(_results(work, items, cores, together), len(items), verb)


def _results(work: Callable[[Item], Result], items: Sequence[Item], cores: int, together: int) -> Iterator[Result]:
    start = time.monotonic()
    left = deque(items)
    while left and (1 in (cores, len(left)) or time.monotonic() - start < SECONDS_A_PROCESS_COSTS):
        yield work(left.popleft())
    if left:
        with ProcessPoolExecutor(min(cores, len(left)), get_context("spawn"), _begin) as pool:
            yield from pool.map(work, left, chunksize=together)


def _begin() -> None:
    """Of a process that has imported what it needs (`command` says why it is frozen)."""
    end_with_parent()
    gc.freeze()


def in_threads(work: Callable[[Item], Result], items: Sequence[Item], cores: int, verb: str) -> Iterator[Result]:
    """Yield `work(item)` in the order of the items, over `cores` threads.

    For what spends its time in libraries that let other threads run: nothing is started or imported anew.
    """
    with ThreadPoolExecutor(cores) as pool:
        yield from with_progress(pool.map(work, items), len(items), verb)


def overlapped(
    items: Sequence[Item],
    read: Callable[[Item], Read],
    work: Callable[[Read], Worked],
    finish: Callable[[Worked], Result],
    meanwhile: Callable[[], None] = lambda: None,
) -> Iterator[Result]:
    """Yield `finish(work(read(item)))` in the order of the items.

    While one item is worked on, in the calling thread, the one after it is read and the one before it is finished;
    nothing is read or worked on further ahead, so that no more than three items are in memory. While the first one is
    read, `meanwhile` is called.
    """
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as finisher:
        ahead = reader.submit(read, items[0]) if items else None
        meanwhile()
        behind: Future[Result] | None = None
        for following in [*items[1:], None] if items else []:
            before = ahead.result()
            ahead = reader.submit(read, following) if following is not None else None
            worked = work(before)
            if behind:
                yield behind.result()
            behind = finisher.submit(finish, worked)
            del before, worked
        if behind:
            yield behind.result()


def end_with_parent() -> None:
    """From now on this process is ended when the thread that started it ends, even if that is killed (Linux alone)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)


def end_children_with_this_process() -> None:
    """Whatever this process forks from now on ends with it: workers that nobody asks any more would wait for ever."""
    os.register_at_fork(after_in_child=end_with_parent)


def with_progress(results: Iterable[Result], total: int, verb: str) -> Iterator[Result]:
    """Pass results on, and say how many are done, how many a minute, and when the rest will be.

    On a terminal a bar that moves with each result; in a log a line every few seconds.
    """
    start = said = time.monotonic()
    is_terminal = sys.stderr.isatty()
    for done, result in enumerate(results, 1):
        yield result
        now = time.monotonic()
        if done == total or is_terminal or now - said >= SECONDS_BETWEEN_LINES:
            said = now
            seconds = (now - start) / done
            line = f"{verb}: {done} of {total}, {_pace(seconds, total - done)}"
            if is_terminal:
                line = f"\r{_bar(done, total)} {line}\x1b[K"
            print(line, end="" if is_terminal and done < total else "\n", file=sys.stderr, flush=True)


def _bar(done: int, total: int) -> str:
    filled = BAR_WIDTH * done // total
    return f"[{'#' * filled}{' ' * (BAR_WIDTH - filled)}]"


def _pace(seconds: float, to_do: int) -> str:
    return f"{three_digits(60 / max(seconds, 1e-3))} a minute, {time_in_words(seconds * to_do)} left"
