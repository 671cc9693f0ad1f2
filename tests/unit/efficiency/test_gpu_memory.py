"""Our side of the management library; the library itself is replaced, so no GPU is needed."""

from types import SimpleNamespace

import pynvml
import pytest

from noisy_student.efficiency.gpu_memory import Gpu


@pytest.fixture
def gpu(monkeypatch):
    def process(pid, used):
        return SimpleNamespace(pid=pid, usedGpuMemory=used)

    processes = [process(1, 10 << 20), process(2, 20 << 20), process(3, None)]
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda index: f"device {index}")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", lambda handle: SimpleNamespace(used=(1234 << 20) + 99))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", lambda handle: processes)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetName", lambda handle: handle)
    return Gpu.open(1)


def test_memory_is_in_whole_mb(gpu):
    assert gpu.name == "device 1"
    assert gpu.used_mb() == 1234


@pytest.mark.parametrize(("ids", "expected"), [({1, 2}, 30), ({2, 9}, 20), ({9}, None), ({3}, None), (set(), None)])
def test_memory_of_the_given_processes(gpu, ids, expected):
    assert gpu.used_by_mb(ids) == expected


def test_a_machine_without_the_driver_has_no_gpu(monkeypatch):
    def fail():
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", fail)
    assert Gpu.open(0) is None
