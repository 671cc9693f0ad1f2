"""Scans dealt over jobs, and the jobs' tables gathered again."""

import heapq
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from noisy_student.errors import InputError
from noisy_student.tables import read_table


def work_of(cases: pd.DataFrame) -> pd.Series:
    """Each case's share of work: its extent in mm³, which its voxels after resampling are proportional to."""
    columns = [f"size_{axis}" for axis in "xyz"] + [f"spacing_{axis}_mm" for axis in "xyz"]
    return cases[columns].prod(axis=1)


def dealt(cases: pd.DataFrame, shards: int) -> pd.Series:
    """The shard of each case: largest scans first, each to the shard with the least work so far."""
    loads = [(0.0, number) for number in range(shards)]
    numbers = {}
    for row, work in work_of(cases).sort_values(ascending=False, kind="stable").items():
        load, numbers[row] = heapq.heappop(loads)
        heapq.heappush(loads, (load + work, numbers[row]))
    return pd.Series(numbers, dtype=int).reindex(cases.index)


def shard_of(cases: pd.DataFrame, shard: int, shards: int) -> pd.DataFrame:
    """The rows of one shard."""
    return cases[dealt(cases, shards) == shard]


def balance(cases: pd.DataFrame, shard: int, shards: int) -> str:
    """How much of the work a shard has, and how far the largest one is from an even share, for the log."""
    work = work_of(cases)
    shares = work.groupby(dealt(cases, shards)).sum().reindex(range(shards), fill_value=0) / max(work.sum(), 1)
    largest = f"the largest shard has {shares.max() * shards:.2f} times an even share"
    return f"shard {shard} of {shards}: {shares[shard]:.1%} of the voxels to predict; {largest}"


def gather(tables: Iterable[Path], expected: Iterable[str]) -> pd.DataFrame:
    """All rows of the shards' tables, once every expected case came back from exactly one shard."""
    parts = [read_table(path, ["case"]) for path in tables]
    counts = Counter(case for part in parts for case in part.case.unique())
    expected = set(expected)
    problems = {
        "missing": sorted(expected - set(counts)),
        "from more than one shard": sorted(case for case, count in counts.items() if count > 1),
        "not asked for": sorted(set(counts) - expected),
    }
    got = "; ".join(f"{what}: {', '.join(cases)}" for what, cases in problems.items() if cases)
    if got:
        raise InputError("every case of the table once", got, "delete the shards' tables and run the stage again")
    filled = [part for part in parts if len(part)]
    table = pd.concat(filled, ignore_index=True) if filled else parts[0]
    return table.sort_values("case", kind="stable", ignore_index=True)
