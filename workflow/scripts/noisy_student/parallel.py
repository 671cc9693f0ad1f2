"""Work spread over processes, with progress a person can read."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
SECONDS_BETWEEN_LINES = 5.0


def in_order(work: Callable[[Item], Result], items: Sequence[Item], cores: int, verb: str) -> Iterator[Result]:
    """Yield `work(item)` in the order of the items, over `cores` processes."""
    if cores == 1 or len(items) < 2:
        yield from with_progress(map(work, items), len(items), verb)
        return
    with ProcessPoolExecutor(min(cores, len(items)), mp_context=get_context("spawn")) as pool:
        yield from with_progress(pool.map(work, items), len(items), verb)


def with_progress(results: Iterable[Result], total: int, verb: str) -> Iterator[Result]:
    """Pass results on, and say every few seconds how many are done and how long the rest will take."""
    start = said = time.monotonic()
    for done, result in enumerate(results, 1):
        yield result
        now = time.monotonic()
        if done == total or now - said >= SECONDS_BETWEEN_LINES:
            said = now
            left = (now - start) / done * (total - done)
            print(f"{verb}: {done} of {total}, {left:.0f} s left", file=sys.stderr, flush=True)
