"""The error in a job's log: what a person reads last of a run that failed."""

from pathlib import Path

TAIL_BYTES = 1 << 18
MOST_LINES = 30
LAST_LINES = 5
WANTED = "wanted: "
TRACEBACK = "Traceback (most recent call last):"


def error_in(log: Path) -> str:
    """The message with which a log ends, without a traceback's frames; its last lines if it ends in mid-work."""
    if not log.exists() or not log.stat().st_size:
        return f"nothing was written to {log}"
    lines = tail_of(log)
    return "\n".join(_shortened(_message(lines), log))


def tail_of(log: Path) -> list[str]:
    """The last lines of a log, none of one that is not there."""
    if not log.exists():
        return []
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - TAIL_BYTES))
        # What a progress bar wrote over does not count.
        return [line.rpartition("\r")[2] for line in stream.read().decode(errors="replace").rstrip().split("\n")]


def _message(lines: list[str]) -> list[str]:
    """From the last `wanted:` on, or what follows the frames of the last traceback, or the last lines."""
    starts = {line_start: _last(lines, line_start) for line_start in (WANTED, TRACEBACK)}
    if starts[WANTED] > starts[TRACEBACK]:
        return lines[starts[WANTED] :]
    if starts[TRACEBACK] < 0:
        return lines[-LAST_LINES:]
    after = lines[starts[TRACEBACK] + 1 :]
    message = next((number for number, line in enumerate(after) if line and not line.startswith(" ")), 0)
    return after[message:]


def _last(lines: list[str], start: str) -> int:
    """The number of the last line that starts so; -1 if none does."""
    return max((number for number, line in enumerate(lines) if line.startswith(start)), default=-1)


def _shortened(lines: list[str], log: Path) -> list[str]:
    """The beginning and the last line, which is the remedy, where there are many."""
    if len(lines) <= MOST_LINES:
        return lines
    left_out = len(lines) - MOST_LINES
    return [*lines[: MOST_LINES - 1], f"… {left_out} lines more in {log}", lines[-1]]
