"""Which GPUs a command sees, by CUDA_VISIBLE_DEVICES."""

from collections.abc import Mapping
from itertools import takewhile

VARIABLE = "CUDA_VISIBLE_DEVICES"
# No GPU from here on. The latter is SLURM's.
NONE = ("-1", "NoDevFiles")


def visible_gpus(environment: Mapping[str, str]) -> list[str] | None:
    """Numbers or UUIDs of the GPUs that are left visible; None where nothing is said, so that all are."""
    said = environment.get(VARIABLE)
    if said is None:
        return None
    names = [name.strip() for name in said.split(",") if name.strip()]
    return list(takewhile(lambda name: name not in NONE, names))
