"""Memory in use on one GPU, through NVIDIA's management library."""

from collections.abc import Collection

import pynvml

BYTES_PER_MB = 1 << 20


class Gpu:
    """One device. `None` from `open` where the machine has no such device or no driver."""

    def __init__(self, handle: object) -> None:
        self._handle = handle

    @classmethod
    def open(cls, index: int) -> "Gpu | None":
        """The device with the given number."""
        try:
            pynvml.nvmlInit()
            return cls(pynvml.nvmlDeviceGetHandleByIndex(index))
        except pynvml.NVMLError:
            return None

    @property
    def name(self) -> str:
        """The device's product name."""
        return pynvml.nvmlDeviceGetName(self._handle)

    def used_mb(self) -> int:
        """Memory in use by all processes and the driver, in whole MB as nvidia-smi prints it."""
        return pynvml.nvmlDeviceGetMemoryInfo(self._handle).used // BYTES_PER_MB

    def used_by_mb(self, process_ids: Collection[int]) -> int | None:
        """Memory that the driver books on the given processes; None where it names none of them.

        Inside a container the driver may know processes by other numbers.
        """
        listed = [
            process.usedGpuMemory
            for process in pynvml.nvmlDeviceGetComputeRunningProcesses(self._handle)
            if process.pid in process_ids and process.usedGpuMemory is not None
        ]
        return sum(listed) // BYTES_PER_MB if listed else None
