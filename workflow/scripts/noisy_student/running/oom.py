"""Processes that the kernel has killed because memory ran out: what it counts itself."""

import re
from collections.abc import Iterator
from pathlib import Path

COUNT = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


def kills(root: Path = Path("/")) -> int:
    """How many so far among this process and those that share its limit of memory; 0 where nobody counts.

    Where no limit is set for them, the machine's count since it was started.
    """
    for path in _counters(root):
        try:
            if count := COUNT.search(path.read_text()):
                return int(count[1])
        except OSError:
            continue
    return 0


def _counters(root: Path) -> Iterator[Path]:
    """Files that may hold the count, the nearest first: of the cgroup (version 2, then 1), of the machine."""
    groups = root / "proc/self/cgroup"
    for line in groups.read_text().splitlines() if groups.exists() else []:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            yield root / "sys/fs/cgroup" / group.lstrip("/") / "memory.events"
        elif "memory" in controllers.split(","):
            yield root / "sys/fs/cgroup/memory" / group.lstrip("/") / "memory.oom_control"
    yield root / "proc/vmstat"
