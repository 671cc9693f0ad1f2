"""What a process, its descendants and the machine use, sampled over the whole of the process's life."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from noisy_student.efficiency.gpu_memory import Gpu

# The official sampler sleeps so long between queries, and multiplies its sums by it.
NOMINAL_INTERVAL_S = 0.1
BYTES_PER_MB = 1 << 20


@dataclass(frozen=True)
class Sample:
    """One look. Times since the start; CPU of the machine in % of all its cores since the look before; the tree's
    CPU seconds from its start; memory in MB. GPU fields are None without a GPU, or where the driver cannot tell."""

    time_s: float
    machine_cpu_percent: float
    tree_cpu_s: float
    tree_ram_mb: float
    gpu_mb: int | None
    tree_gpu_mb: int | None


class Sampler:
    """Takes samples of one process tree. Make it before the process starts: its first sample is the time before."""

    def __init__(self, gpu: Gpu | None) -> None:
        self.gpu = gpu
        self._start = time.monotonic()
        psutil.cpu_percent()
        self.samples = [Sample(0.0, 0.0, 0.0, 0.0, gpu and gpu.used_mb(), None)]

    def follow(self, pid: int, limit_s: float, kill: Callable[[], None]) -> bool:
        """Sample until the process has ended, once more when it has, and not reap it; call `kill` at the limit.

        A process that has ended keeps its CPU times until it is reaped, so the last sample covers its whole life.
        Returns whether the limit was met.
        """
        ended = threading.Event()
        threading.Thread(target=_wait, args=(pid, ended), daemon=True).start()
        in_time = True
        while not ended.is_set():
            self._take(pid)
            if self.samples[-1].time_s > limit_s and in_time:
                in_time = False
                kill()
            ended.wait(NOMINAL_INTERVAL_S)
        self._take(pid)
        return in_time

    def _take(self, pid: int) -> None:
        tree = _tree(pid)
        gpu_mb, tree_gpu_mb = None, None
        if self.gpu:
            gpu_mb, tree_gpu_mb = self.gpu.used_mb(), self.gpu.used_by_mb({process.pid for process in tree})
        cpu_s = max(self.samples[-1].tree_cpu_s, sum(map(_cpu_s, tree)))
        ram_mb = sum(map(_ram_mb, tree))
        now_s = time.monotonic() - self._start
        self.samples.append(Sample(now_s, psutil.cpu_percent(), cpu_s, ram_mb, gpu_mb, tree_gpu_mb))


def _wait(pid: int, ended: threading.Event) -> None:
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    ended.set()


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu_s(process: psutil.Process) -> float:
    """User and system time of a process and of its descendants that have ended and were waited for."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system


def _ram_mb(process: psutil.Process) -> float:
    """Resident memory; pages that processes share count in each."""
    try:
        return process.memory_info().rss / BYTES_PER_MB
    except psutil.Error:
        return 0.0
