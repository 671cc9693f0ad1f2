"""What the environment tells a command of GPUs: which it sees, which its job was given (`on_gpu.py`)."""

from collections.abc import Mapping
from itertools import takewhile

VARIABLE = "CUDA_VISIBLE_DEVICES"
# The GPU that a job was given where the driver has any.
GPU_OF_JOB = "NOISY_STUDENT_GPU"
# What nvidia-smi says where it fails though the kernel has a GPU.
FAULT_OF_GPU = "NOISY_STUDENT_GPU_FAULT"
# No GPU from here on. The latter is SLURM's.
NONE = ("-1", "NoDevFiles")


def visible_gpus(environment: Mapping[str, str]) -> list[str] | None:
    """Numbers or UUIDs of the GPUs that are left visible; None where nothing is said, so that all are."""
    said = environment.get(VARIABLE)
    if said is None:
        return None
    names = [name.strip() for name in said.split(",") if name.strip()]
    return list(takewhile(lambda name: name not in NONE, names))
