"""Run a command on a GPU that no other job of this machine has: on_gpu.py DEVICE COMMAND…

Snakemake counts GPUs but does not say which; so the first free one is locked, and the command sees that one alone.
The lock ends with the command, however that happens. Where there is no GPU, where DEVICE is `cpu`, or
where a cluster has already given the job its one GPU, nothing is locked. Where the driver has GPUs, NOISY_STUDENT_GPU
tells the command which it was given, so that it cannot overlook it. Where the kernel has GPUs that nvidia-smi cannot
reach, as from an upgrade of the driver until the next restart, NOISY_STUDENT_GPU_FAULT tells it what nvidia-smi says.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from noisy_student.visible_gpus import FAULT_OF_GPU, GPU_OF_JOB, VARIABLE, visible_gpus

POLL_SECONDS = 1.0
# A folder for each GPU that the loaded driver drives.
IN_KERNEL = Path("/proc/driver/nvidia/gpus")
# Of nvidia-smi, whose status is then no success either: as in a job that was given no GPU, on a node that has some.
NOTHING_GIVEN = "No devices were found"


@cache
def nvidia_smi() -> tuple[int, str]:
    """The status of the machine's own tool, and what it says: the unique names of the GPUs, or what is wrong."""
    if not shutil.which("nvidia-smi"):
        return 0, ""
    command = ("nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader")
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    return listed.returncode, listed.stdout if listed.returncode == 0 else listed.stdout + listed.stderr


def gpus_of_machine() -> list[str]:
    """The unique names of the machine's GPUs, which do not depend on the order in which a library counts them."""
    status, said = nvidia_smi()
    return said.split() if status == 0 else []


def fault(device: str, environment: Mapping[str, str]) -> str:
    """What nvidia-smi says where it fails though the kernel has GPUs and the job may take one; empty: no fault."""
    if device == "cpu" or visible_gpus(environment) == []:
        return ""
    if not IN_KERNEL.is_dir() or not any(IN_KERNEL.iterdir()):
        return ""
    status, said = nvidia_smi()
    if status == 0 or NOTHING_GIVEN in said:
        return ""
    return (said.strip() or f"exit {status}").splitlines()[0]


def choices(device: str, environment: Mapping[str, str]) -> list[str]:
    """The GPUs that a job may take; none on the CPU."""
    if device == "cpu":
        return []
    visible = visible_gpus(environment)
    return gpus_of_machine() if visible is None else visible


def lock_folder(environment: Mapping[str, str]) -> Path:
    """Where the machine's locks lie. Within a job of a cluster numbers are its own, so its locks are too."""
    job = environment.get("SLURM_JOB_ID", "machine")
    folder = Path(tempfile.gettempdir()) / f"noisy-student-gpus-{os.getuid()}-{job}"
    folder.mkdir(exist_ok=True)
    return folder


def locks(gpus: list[str]) -> dict[str, str]:
    """GPU → its lock. A number is the GPU in that place of the machine's, so that all runs mean the same one."""
    machine = dict(enumerate(gpus_of_machine()))
    return {gpu: (machine.get(int(gpu), gpu) if gpu.isdigit() else gpu).replace("/", "_") for gpu in gpus}


def try_lock(path: Path) -> int | None:
    """A descriptor that holds the lock, and that a command inherits; nothing if another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    os.set_inheritable(descriptor, True)
    return descriptor


def wait_for_gpu(gpus: list[str], folder: Path) -> str:
    """Lock the first free GPU, waiting until there is one."""
    told, lock_of = False, locks(gpus)
    while True:
        for gpu in gpus:
            if try_lock(folder / lock_of[gpu]) is not None:
                return gpu
        if not told:
            print(f"waiting for a GPU: other jobs have all {len(gpus)}", file=sys.stderr, flush=True)
            told = True
        time.sleep(POLL_SECONDS)


def main() -> None:
    """Choose, tell, and become the command."""
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # the numbers of nvidia-smi and NVML
    device, *command = sys.argv[1:]
    gpus = choices(device, os.environ)
    is_given = "SLURM_JOB_ID" in os.environ and len(gpus) == 1
    if gpus and not is_given:
        gpus = [wait_for_gpu(gpus, lock_folder(os.environ))]
        print(f"GPU {gpus[0]}", file=sys.stderr, flush=True)
        os.environ[VARIABLE] = gpus[0]
    if gpus and gpus_of_machine():
        os.environ[GPU_OF_JOB] = gpus[0]
    if said := fault(device, os.environ):
        os.environ[FAULT_OF_GPU] = said
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
