"""Memory in use on one GPU, through NVIDIA's management library."""

import os
from collections.abc import Collection

import pynvml

from noisy_student.visible_gpus import visible_gpus

BYTES_PER_MB = 1 << 20


class Gpu:
    """One device. `None` from `open` where the machine has no such device or no driver, or does not tell its memory."""

    def __init__(self, handle: object) -> None:
        self._handle = handle

    @classmethod
    def open(cls, index: int) -> "Gpu | None":
        """The device of the given number among those that a command sees.

        NVIDIA's library itself sees all GPUs, whatever CUDA_VISIBLE_DEVICES leaves of them. Of a GPU in parts (MIG), of
        which a command sees but one, it tells the whole one's memory to an administrator alone.
        """
        name = _name(index)
        try:
            pynvml.nvmlInit()
            gpu = cls(_handle(name)) if name else None
        except pynvml.NVMLError:
            return None
        return gpu if gpu and gpu.used_mb() is not None else None

    @property
    def name(self) -> str:
        """The device's product name."""
        return pynvml.nvmlDeviceGetName(self._handle)

    def used_mb(self) -> int | None:
        """Memory in use by all processes and the driver, in whole MB; None where the driver does not tell it.

        What the driver keeps for itself is in it, unlike in what nvidia-smi prints since driver 510.
        """
        try:
            return pynvml.nvmlDeviceGetMemoryInfo(self._handle).used // BYTES_PER_MB
        except pynvml.NVMLError:
            return None

    def used_by_mb(self, process_ids: Collection[int]) -> int | None:
        """Memory that the driver books on the given processes; None where it names none of them.

        Inside a container the driver may know processes by other numbers.
        """
        try:
            running = pynvml.nvmlDeviceGetComputeRunningProcesses(self._handle)
        except pynvml.NVMLError:
            return None
        listed = [
            process.usedGpuMemory
            for process in running
            if process.pid in process_ids and process.usedGpuMemory is not None
        ]
        return sum(listed) // BYTES_PER_MB if listed else None


def _name(index: int) -> str:
    """A GPU's number in the machine or its UUID; empty if a command does not see so many."""
    names = visible_gpus(os.environ)
    if names is None:
        return str(index)
    return names[index] if index < len(names) else ""


def _handle(name: str) -> object:
    """The device of that number or UUID, which may be a part of a GPU (MIG)."""
    return pynvml.nvmlDeviceGetHandleByIndex(int(name)) if name.isdigit() else pynvml.nvmlDeviceGetHandleByUUID(name)
