"""A GPU is given to one job at a time; the GPUs here are but names."""

import os
import signal
import subprocess
import sys
import time

import pytest

import on_gpu
from conftest import ROOT

TELL = "import os, sys; print(os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True); sys.stdin.read()"


@pytest.fixture
def start(tmp_path):
    """Start a job that tells its GPU and lives until its stdin is closed."""
    processes = []

    def start_job(device="auto", **variables):
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("CUDA", "SLURM"))}
        processes.append(
            subprocess.Popen(
                [sys.executable, ROOT / "workflow/scripts/on_gpu.py", device, sys.executable, "-c", TELL],
                env=environment | {"TMPDIR": str(tmp_path)} | variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return processes[-1]

    yield start_job
    for process in processes:
        process.kill()
        process.wait()


def gpu_of(process):
    return process.stdout.readline().strip()


def test_concurrent_jobs_get_distinct_gpus_and_a_third_waits_for_one(start):
    first, second = (start(CUDA_VISIBLE_DEVICES="0,1") for _ in range(2))
    taken = [gpu_of(first), gpu_of(second)]
    assert sorted(taken) == ["0", "1"]
    third = start(CUDA_VISIBLE_DEVICES="0,1")
    assert "waiting for a GPU: other jobs have all 2" in third.stderr.readline()
    time.sleep(1.5 * on_gpu.POLL_SECONDS)
    assert third.poll() is None
    second.stdin.close()
    assert gpu_of(third) == taken[1]


def test_a_killed_job_gives_its_gpu_back(start):
    first = start(CUDA_VISIBLE_DEVICES="7")
    assert gpu_of(first) == "7"
    first.send_signal(signal.SIGKILL)
    assert gpu_of(start(CUDA_VISIBLE_DEVICES="7")) == "7"


def test_gpus_are_found_by_the_machines_own_tool(start, tmp_path):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho GPU-aaa\necho GPU-bbb\n")
    tool.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    assert {gpu_of(start(PATH=path)) for _ in range(2)} == {"GPU-aaa", "GPU-bbb"}
    assert "waiting for a GPU" in start(PATH=path, CUDA_VISIBLE_DEVICES="1").stderr.readline()
    assert gpu_of(start(PATH=path, CUDA_VISIBLE_DEVICES="2")) == "2"


@pytest.mark.parametrize(
    ("device", "variables", "expected"),
    [
        ("cpu", {"CUDA_VISIBLE_DEVICES": "0,1"}, "0,1"),
        ("auto", {"CUDA_VISIBLE_DEVICES": ""}, ""),
        ("auto", {"CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": "5"}, "0"),
    ],
    ids=["on the CPU", "no GPU visible", "given by the cluster"],
)
def test_where_there_is_nothing_to_choose_nothing_changes_or_waits(start, device, variables, expected):
    assert [gpu_of(start(device, **variables)) for _ in range(3)] == [expected] * 3


@pytest.mark.parametrize("hidden", ["-1", "NoDevFiles", "-1,0"])
def test_a_hidden_gpu_is_none(monkeypatch, hidden):
    monkeypatch.setattr(on_gpu, "gpus_of_machine", lambda: ["GPU-aaa"])
    assert on_gpu.choices("auto", {"CUDA_VISIBLE_DEVICES": hidden}) == []
    assert on_gpu.choices("auto", {}) == ["GPU-aaa"] and on_gpu.choices("cpu", {}) == []


@pytest.mark.parametrize(
    ("device", "variables", "listed", "expected"),
    [
        ("auto", {}, ["GPU-aaa"], "GPU-aaa"),
        ("auto", {"CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": "5"}, ["GPU-aaa"], "0"),
        ("auto", {"CUDA_VISIBLE_DEVICES": "0"}, [], None),
        ("auto", {"CUDA_VISIBLE_DEVICES": ""}, ["GPU-aaa"], None),
        ("cpu", {}, ["GPU-aaa"], None),
    ],
    ids=["locked", "given by the cluster", "no driver", "hidden", "on the CPU"],
)
def test_a_command_is_told_of_the_gpu_that_it_has(monkeypatch, tmp_path, device, variables, listed, expected):
    told = []
    monkeypatch.setattr(on_gpu, "gpus_of_machine", lambda: listed)
    monkeypatch.setattr(on_gpu.os, "environ", {**variables})
    monkeypatch.setattr(on_gpu.os, "execvp", lambda *_: told.append(on_gpu.os.environ.get("NOISY_STUDENT_GPU")))
    monkeypatch.setattr(on_gpu, "lock_folder", lambda _: tmp_path)
    monkeypatch.setattr(sys, "argv", ["on_gpu.py", device, "true"])
    on_gpu.main()
    assert told == [expected]


MISMATCH = "Failed to initialize NVML: Driver/library version mismatch"


@pytest.mark.parametrize(
    ("said", "in_kernel", "device", "variables", "expected"),
    [
        (f"{MISMATCH}\nNVML library version: 580.95\n", True, "auto", {}, MISMATCH),
        (MISMATCH, True, "cuda", {"CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": "5"}, MISMATCH),
        ("", True, "auto", {}, "exit 18"),
        ("No devices were found\n", True, "auto", {}, None),
        (MISMATCH, False, "auto", {}, None),
        (MISMATCH, True, "cpu", {}, None),
        (MISMATCH, True, "auto", {"CUDA_VISIBLE_DEVICES": ""}, None),
    ],
    ids=["upgraded", "given by the cluster", "silent", "job without GPU", "no GPU", "on the CPU", "hidden"],
)
def test_a_command_is_told_of_a_gpu_whose_driver_fails(
    monkeypatch, tmp_path, said, in_kernel, device, variables, expected
):
    told = []
    if in_kernel:
        (tmp_path / "0000:01:00.0").mkdir()
    monkeypatch.setattr(on_gpu, "IN_KERNEL", tmp_path)
    monkeypatch.setattr(on_gpu, "nvidia_smi", lambda: (18, said))
    monkeypatch.setattr(on_gpu.os, "environ", {**variables})
    monkeypatch.setattr(on_gpu.os, "execvp", lambda *_: told.append({**on_gpu.os.environ}))
    monkeypatch.setattr(sys, "argv", ["on_gpu.py", device, "true"])
    on_gpu.main()
    assert told[0].get("NOISY_STUDENT_GPU_FAULT") == expected and "NOISY_STUDENT_GPU" not in told[0]


def test_what_the_machines_tool_says_when_it_fails_is_kept(monkeypatch, tmp_path):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\necho '{MISMATCH}'\nexit 18\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert on_gpu.nvidia_smi.__wrapped__() == (18, f"{MISMATCH}\n")


def test_several_gpus_of_one_cluster_job_are_shared_out_within_it(start):
    gpus = {"CUDA_VISIBLE_DEVICES": "0,1", "SLURM_JOB_ID": "5"}
    assert {gpu_of(start(**gpus)) for _ in range(2)} == {"0", "1"}
    assert gpu_of(start(**gpus | {"SLURM_JOB_ID": "6"})) == "0"


@pytest.mark.parametrize(
    ("given", "order"), [({}, "PCI_BUS_ID"), ({"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}, "FASTEST_FIRST")]
)
def test_gpus_are_numbered_as_the_machines_own_tool_does(given, order):
    tell = "import os; print(os.environ['CUDA_DEVICE_ORDER'])"
    command = [sys.executable, ROOT / "workflow/scripts/on_gpu.py", "cpu", sys.executable, "-c", tell]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CUDA")} | given
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == order


def test_the_commands_own_end_is_the_jobs_end(tmp_path):
    command = [sys.executable, ROOT / "workflow/scripts/on_gpu.py", "cpu", sys.executable, "-c", "raise SystemExit(7)"]
    assert subprocess.run(command, check=False).returncode == 7
