"""Our side of the management library; the library itself is replaced, so no GPU is needed."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pynvml
import pytest
import torch

import measure_efficiency
from noisy_student.efficiency.figures import efficiency
from noisy_student.efficiency.gpu_memory import Gpu
from noisy_student.efficiency.sampler import Sampler
from noisy_student.tables import read_table


@pytest.fixture
def gpu(monkeypatch):
    def process(pid, used):
        return SimpleNamespace(pid=pid, usedGpuMemory=used)

    processes = [process(1, 10 << 20), process(2, 20 << 20), process(3, None)]
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        # Set first, so that what a test sets is taken back.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(pynvml, "nvmlInit", lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda index: f"device {index}")
    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByUUID", lambda uuid: f"device of UUID {uuid}")
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


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ("3,1", ["device 3", "device 1", None]),
        ("GPU-abc, MIG-def", ["device of UUID GPU-abc", "device of UUID MIG-def", None]),
        ("", [None, None, None]),
        ("0,-1,1", ["device 0", None, None]),
    ],
)
def test_the_gpu_is_one_of_those_that_a_command_sees(gpu, monkeypatch, visible, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = [Gpu.open(index) for index in range(3)]
    assert [one and one.name for one in found] == expected


@pytest.mark.parametrize(("device", "expected"), [("cuda", 1234), ("auto", None), ("cpu", None)])
def test_memory_on_a_gpu_that_the_command_does_not_use_is_not_its_own(gpu, tmp_path, monkeypatch, device, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (tmp_path / "a_0000.nii.gz").touch()
    words = ["--images", str(tmp_path), "--command", "cp {image} {output}", "--device", device]
    monkeypatch.setattr(sys, "argv", ["measure_efficiency.py", *words, "--output", str(tmp_path / "efficiency.tsv")])
    measure_efficiency.main()
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    row = read_table(tmp_path / "efficiency.tsv").iloc[0]
    assert row["outcome"] == "ok"
    assert row[["gpu_max_mb", "gpu"]].dropna().tolist() == ([expected, "device 0"] if expected else [])


def fails(error):
    def fail(*_):
        raise pynvml.NVMLError(error)

    return fail


def test_a_machine_without_the_driver_has_no_gpu(monkeypatch):
    monkeypatch.setattr(pynvml, "nvmlInit", fails(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND))
    assert Gpu.open(0) is None


def test_a_gpu_in_parts_that_tells_its_memory_to_administrators_alone_is_not_watched(gpu, monkeypatch):
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", fails(pynvml.NVML_ERROR_NO_PERMISSION))
    assert Gpu.open(0) is None


def test_a_gpu_that_is_lost_does_not_end_a_measurement(gpu, monkeypatch):
    sampler = Sampler(gpu)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", fails(pynvml.NVML_ERROR_GPU_IS_LOST))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", fails(pynvml.NVML_ERROR_GPU_IS_LOST))
    process = subprocess.Popen(["sleep", "0.1"])
    assert sampler.follow(process.pid, limit_s=60, kill=process.kill)
    process.wait()
    row = efficiency("case", "ok", sampler.samples, 0)
    assert row["gpu_max_mb"] is None and row["tree_gpu_max_mb"] is None and row["seconds"] > 0
