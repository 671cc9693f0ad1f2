"""How far a job is that says in its log how many of how many it has done (`parallel.with_progress`)."""

import re
from dataclasses import dataclass
from pathlib import Path

TAIL_BYTES = 4096
LINE = re.compile(r"([A-Za-z][\w ,]*): (\d+) of (\d+), ([\d.e+]+) a minute, ")


@dataclass(frozen=True)
class Pace:
    """What is done, how much of it, and how fast."""

    verb: str
    done: int
    total: int
    a_minute: float

    @property
    def seconds_left(self) -> float | None:
        """By its pace; unknown without one."""
        return (self.total - self.done) / self.a_minute * 60 if self.a_minute else None


def pace(log: Path, since: float) -> Pace | None:
    """What the log says last, if it has been written to `since` then: an earlier job may have left its own words."""
    try:
        with log.open("rb") as stream:
            state = log.stat()
            if state.st_mtime < since:
                return None
            stream.seek(max(0, state.st_size - TAIL_BYTES))
            said = LINE.findall(stream.read().decode(errors="replace"))
    except FileNotFoundError:
        return None
    return Pace(said[-1][0], int(said[-1][1]), int(said[-1][2]), float(said[-1][3])) if said else None
