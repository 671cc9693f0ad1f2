"""Which device a network gets; the GPU is one only by name."""

import re

import pytest
import torch

from noisy_student.configuration.prediction_options import Prediction
from noisy_student.errors import InputError
from noisy_student.model import device as module
from noisy_student.model.backend import refuse_what_cannot_compute
from noisy_student.model.device import choose_device, has_kernels
from noisy_student.visible_gpus import FAULT_OF_GPU, GPU_OF_JOB


@pytest.fixture
def choose(monkeypatch):
    """Choose with or without a GPU that torch can use, in a job that was given one by name or not.

    `capability`: the GPU's, and `built`: what torch has kernels for; a build for CPUs says nothing of it.
    """
    before = torch.backends.cudnn.benchmark, torch.get_num_threads()

    def chosen(wish, is_available, given="", fault="", capability=(9, 0), built=()):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: is_available)
        monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: list(built))
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "V100")
        monkeypatch.setenv(GPU_OF_JOB, given)
        monkeypatch.setenv(FAULT_OF_GPU, fault)
        return choose_device(wish, 1).type

    yield chosen
    torch.backends.cudnn.benchmark = before[0]
    torch.set_num_threads(before[1])


@pytest.mark.parametrize(("wish", "is_available"), [("auto", True), ("cuda", True), ("cpu", True), ("auto", False)])
def test_on_a_gpu_cudnn_tries_which_algorithm_is_fastest_as_in_nnunet(choose, wish, is_available):
    device = choose(wish, is_available)
    assert torch.backends.cudnn.benchmark == (device == "cuda") == (is_available and wish != "cpu")


def test_a_gpu_that_torch_cannot_use_is_not_passed_over(choose):
    with pytest.raises(InputError, match=r"(?s)torch .* sees none.*GPU-aaa.*docs/gpu\.md#which-device.*`device: cpu`"):
        choose("auto", is_available=False, given="GPU-aaa")
    assert choose("auto", is_available=True, given="GPU-aaa") == "cuda"
    assert choose("cpu", is_available=False, given="GPU-aaa") == choose("auto", is_available=False) == "cpu"


@pytest.mark.parametrize("wish", ["auto", "cuda"])
def test_a_gpu_whose_driver_was_upgraded_is_not_passed_over(choose, wish):
    with pytest.raises(InputError, match=r"(?s)nvidia-smi says: version mismatch.*restart the machine.*`device: cpu`"):
        choose(wish, is_available=False, fault="version mismatch")
    assert choose(wish, is_available=True, fault="version mismatch") == "cuda"
    assert choose("cpu", is_available=False, fault="version mismatch") == "cpu"


PYPI = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]


def test_a_gpu_that_torch_was_not_built_for_is_refused(choose):
    said = rf"(?s){re.escape(', '.join(PYPI))}.*V100, which is sm_70.*older CUDA.*`device: cpu`"
    for wish in ("auto", "cuda"):
        with pytest.raises(InputError, match=said):
            choose(wish, is_available=True, capability=(7, 0), built=PYPI)
    assert choose("cpu", is_available=True, capability=(7, 0), built=PYPI) == "cpu"
    assert choose("auto", is_available=True, capability=(8, 0), built=PYPI) == "cuda"


@pytest.mark.parametrize(
    ("capability", "built", "expected"),
    [
        ((7, 0), ["sm_75", "sm_80"], False),
        ((6, 1), PYPI, False),
        ((8, 9), ["sm_75", "sm_86"], True),
        ((8, 0), ["sm_86"], False),
        ((12, 1), PYPI, True),
        ((9, 0), ["sm_90a"], True),
        ((13, 0), PYPI, False),
        ((13, 0), [*PYPI, "compute_120"], True),
        ((7, 0), ["sm_75", "compute_75"], False),
        ((9, 4), ["gfx90a", "gfx942"], True),
        ((7, 0), [], True),
    ],
)
def test_kernels_run_on_gpus_of_their_generation_and_later_minor_version(capability, built, expected):
    assert has_kernels(capability, built) == expected


@pytest.mark.parametrize(
    ("compiler", "has_headers", "lack"),
    [("gcc", True, ""), ("", True, "no C compiler"), ("gcc", False, "no .*Python.h")],
)
def test_compiling_for_a_gpu_takes_a_compiler_and_pythons_headers(monkeypatch, tmp_path, compiler, has_headers, lack):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(module.shutil, "which", lambda name: name if name == compiler else None)
    monkeypatch.setattr(module.sysconfig, "get_path", lambda *_: str(tmp_path))
    if has_headers:
        (tmp_path / "Python.h").touch()
    refuse_what_cannot_compute(Prediction(compile=True), torch.device("cpu"))
    if not lack:
        refuse_what_cannot_compute(Prediction(compile=True), torch.device("cuda"))
        return
    with pytest.raises(InputError, match=lack):
        refuse_what_cannot_compute(Prediction(compile=True), torch.device("cuda"))
