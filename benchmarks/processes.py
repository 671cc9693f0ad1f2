"""A command measured from its start to its end: time, memory of all its processes, bytes that it left."""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import psutil

SECONDS_BETWEEN_LOOKS, GROWN = 0.2, 1.01
GB = 1e9


@dataclass(frozen=True)
class Measured:
    """Wall seconds, CPU seconds of the process and all its children, largest memory, size of the files left."""

    wall_s: float
    cpu_s: float
    peak_gb: float
    written_mb: float


def measured(
    command: Sequence[object], output: Path, folder: Path, environment: Mapping[str, str], log: Path
) -> Measured:
    """Run a command in a folder; whatever it writes lies under `output`. Raises if the command fails."""
    start = perf_counter()
    with log.open("ab") as stream:
        process = subprocess.Popen(
            list(map(str, command)), cwd=folder, env={**os.environ, **environment}, stdout=stream, stderr=stream
        )
        peak = _Peak(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
    wall_s = perf_counter() - start
    peak_bytes = peak.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"exit {process.returncode}: {' '.join(map(str, command))}\n{log.read_text()[-3000:]}")
    written = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    return Measured(wall_s, usage.ru_utime + usage.ru_stime, peak_bytes / GB, written / 1e6)


class _Peak:
    """Looks at a process tree again and again. Pages that processes share count once, divided among them (PSS).

    That sum takes the kernel up to half of a core's time, so it is asked for only where the plain one has grown.
    """

    def __init__(self, pid: int) -> None:
        self._pid, self._largest, self._ended = pid, 0, threading.Event()
        self._largest_resident = 0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """The largest sum in bytes."""
        self._ended.set()
        self._thread.join()
        return self._largest

    def _look(self) -> None:
        while not self._ended.is_set():
            try:
                root = psutil.Process(self._pid)
                tree = [root, *root.children(recursive=True)]
            except psutil.Error:
                tree = []
            resident = _bytes(tree, _resident_bytes)
            if resident > GROWN * self._largest_resident:
                self._largest_resident = resident
                self._largest = max(self._largest, _bytes(tree, _shared_bytes))
            self._ended.wait(SECONDS_BETWEEN_LOOKS)


def largest_mb(pid: int | None = None) -> float:
    """The most memory that a process, or this one, has had since its start or since Linux was told to forget it."""
    status = Path(f"/proc/{pid or 'self'}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def _resident_bytes(process: psutil.Process) -> int:
    return process.memory_info().rss


def _shared_bytes(process: psutil.Process) -> int:
    return process.memory_full_info().pss


def _bytes(tree: list[psutil.Process], of_one: Callable[[psutil.Process], int]) -> int:
    """The sum over those that are still there."""
    total = 0
    for process in tree:
        with suppress(psutil.Error):
            total += of_one(process)
    return total
