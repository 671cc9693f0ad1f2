"""How long a run will take yet, as far as what has ended tells."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from statistics import median

from noisy_student.running.live.jobs import Job


def usual_seconds(ended: Iterable[Mapping[str, str]]) -> dict[str, float]:
    """What a job of each rule took that finished: the median. `ended` are rows of `jobs.tsv`."""
    took = defaultdict(list)
    for row in ended:
        if row["state"] == "finished":
            took[row["rule"]].append(float(row["seconds"]))
    return {rule: median(seconds) for rule, seconds in took.items()}


def time_left(jobs: Mapping[int, Job], seconds: Mapping[int, float]) -> float:
    """Seconds that the jobs with known `seconds` take at least, jobs in order and side by side as resources allow.

    That is the longest chain of jobs that wait for each other, or, where it is longer, the work that shares a resource.
    """
    chains: dict[int, float] = {}
    for number in TopologicalSorter({job.number: job.needs for job in jobs.values()}).static_order():
        before = jobs[number].needs if number in jobs else ()
        chains[number] = seconds.get(number, 0.0) + max((chains[other] for other in before), default=0.0)
    work: dict[str, float] = defaultdict(float)
    for number, own in seconds.items():
        for name, share in (jobs[number].shares or {}).items():
            work[name] += own * share
    return max([*chains.values(), *work.values()], default=0.0)
