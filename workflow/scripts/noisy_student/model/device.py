"""Where a network runs."""

import os
import re
import shutil
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from noisy_student.errors import InputError
from noisy_student.visible_gpus import FAULT_OF_GPU, GPU_OF_JOB

# The rest is the network's, for the feature maps of a window.
SHARE_FOR_RESULTS = 0.5
# What torch has kernels for, as it names them: compiled (7.5: sm_75), or to be compiled by the driver (compute_75).
BUILT_FOR = re.compile(r"(sm|compute)_(\d+)(\d)[af]?")


def choose_device(wish: str, threads: int) -> torch.device:
    """The configured device (`auto`: a GPU if there is one), with `threads` CPU threads.

    On a GPU cuDNN tries which algorithm is fastest, as in nnU-Net. Raises InputError where torch cannot use the GPU
    that was asked for, or that a job was given, or has no kernels for it.
    """
    torch.set_num_threads(threads)
    # The number is each thread's own from the first time that it is asked for.
    torch.get_num_threads()
    is_there, given = torch.cuda.is_available(), os.environ.get(GPU_OF_JOB)
    if wish != "cpu" and not is_there and (fault := os.environ.get(FAULT_OF_GPU)):
        raise InputError(
            f"a driver that works, of the GPU that this machine has (`device: {wish}`)",
            f"none visible to torch; nvidia-smi says: {fault}",
            "restart the machine or load the driver anew, which an upgrade of it takes, or set `device: cpu`",
        )
    if wish == "cuda" and not is_there:
        raise InputError("a CUDA GPU (`device: cuda`)", "none visible to torch", "set `device: auto`, or free the GPU")
    if wish == "auto" and given and not is_there:
        raise InputError(
            "a torch that can use this machine's GPU (`device: auto`)",
            f"torch {torch.__version__} sees none, nvidia-smi does; this job was given {given}",
            "update the driver or install a torch that fits it (docs/gpu.md#which-device has the versions), correct "
            "CUDA_VISIBLE_DEVICES, or set `device: cpu`",
        )
    device = torch.device("cuda" if is_there and wish != "cpu" else "cpu")
    if device.type == "cuda":
        _refuse_without_kernels()
    torch.backends.cudnn.benchmark = device.type == "cuda"
    return device


def _refuse_without_kernels() -> None:
    """Raise InputError where the first convolution would fail: this torch was built for other GPUs."""
    built = torch.cuda.get_arch_list()
    if not built or has_kernels(torch.cuda.get_device_capability(), built):
        return
    major, minor = torch.cuda.get_device_capability()
    raise InputError(
        f"a GPU that torch {torch.__version__} was built for ({', '.join(built)})",
        f"{torch.cuda.get_device_name()}, which is sm_{major}{minor}",
        "install a torch of an older CUDA (docs/gpu.md#which-device), or set `device: cpu`",
    )


def has_kernels(capability: tuple[int, int], built: list[str]) -> bool:
    """Whether a GPU of that compute capability can run something of what torch was built for; no NVIDIA GPU can.

    Compiled kernels run on GPUs of the same major version and at least their minor one, others on later GPUs, too.
    """
    for kind, major, minor in (found.groups() for name in built if (found := BUILT_FOR.fullmatch(name))):
        of_build = int(major), int(minor)
        if of_build <= capability and (kind == "compute" or of_build[0] == capability[0]):
            return True
    return not any(map(BUILT_FOR.fullmatch, built))


def has_room(device: torch.device, needed_bytes: int) -> bool:
    """Whether results of that size may lie on the device, beside what the network itself takes there.

    What torch keeps there of earlier results, to use it again, is free.
    """
    if device.type != "cuda":
        return True
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return needed_bytes <= SHARE_FOR_RESULTS * (torch.cuda.mem_get_info(device)[0] + kept)


def missing_for_compiling() -> str:
    """What Triton lacks here for a GPU's first kernel, to which it compiles a module of Python; empty: nothing."""
    own = os.environ.get("CC")
    compilers = [own] if own else ["gcc", "clang"]
    if not any(map(shutil.which, compilers)):
        return f"no C compiler ({', '.join(compilers)})"
    # Debian's own scheme, as Triton has it.
    scheme = sysconfig.get_default_scheme().replace("posix_local", "posix_prefix")
    header = Path(sysconfig.get_path("include", scheme), "Python.h")
    return "" if header.exists() else f"no {header}"


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute in the calling thread alone: many small steps beside a network gain nothing from more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
