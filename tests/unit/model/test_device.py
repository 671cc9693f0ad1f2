"""Which device a network gets; the GPU is one only by name."""

import pytest
import torch

from noisy_student.configuration.prediction_options import Prediction
from noisy_student.errors import InputError
from noisy_student.model import device as module
from noisy_student.model.backend import refuse_what_cannot_compute
from noisy_student.model.device import FAULT_OF_GPU, GPU_OF_JOB, choose_device


@pytest.fixture
def choose(monkeypatch):
    """Choose with or without a GPU that torch can use, in a job that was given one by name or not."""
    before = torch.backends.cudnn.benchmark, torch.get_num_threads()

    def chosen(wish, is_available, given="", fault=""):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: is_available)
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
    with pytest.raises(InputError, match=r"(?s)torch .* sees none.*GPU-aaa.*`device: cpu`"):
        choose("auto", is_available=False, given="GPU-aaa")
    assert choose("auto", is_available=True, given="GPU-aaa") == "cuda"
    assert choose("cpu", is_available=False, given="GPU-aaa") == choose("auto", is_available=False) == "cpu"


@pytest.mark.parametrize("wish", ["auto", "cuda"])
def test_a_gpu_whose_driver_was_upgraded_is_not_passed_over(choose, wish):
    with pytest.raises(InputError, match=r"(?s)nvidia-smi says: version mismatch.*restart the machine.*`device: cpu`"):
        choose(wish, is_available=False, fault="version mismatch")
    assert choose(wish, is_available=True, fault="version mismatch") == "cuda"
    assert choose("cpu", is_available=False, fault="version mismatch") == "cpu"


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
