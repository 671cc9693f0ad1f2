"""nnU-Net's checkpoints on disk: whether one is whole, and what it holds."""

import zipfile
from pathlib import Path
from typing import Any

import torch

from noisy_student.damage import damaged

# Kinds of checkpoints of a fold; nnU-Net keeps the latter two until a training has ended.
KINDS = FINAL, BEST, LATEST = "final", "best", "latest"


def checkpoint_name(kind: str) -> str:
    """The file's name."""
    return f"checkpoint_{kind}.pth"


FINAL_CHECKPOINT = checkpoint_name(FINAL)
# What each of them has, whoever trained it with nnU-Net v2.
ENTRIES = {"network_weights", "trainer_name", "init_args"}


def is_whole(checkpoint: Path) -> bool:
    """Whether the file is there and every record of it has its checksum."""
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def read_checkpoint(checkpoint: Path) -> dict[str, Any]:
    """What a trainer wrote, on the host. Unpickling can run any code: foreign ones must be trusted (`trust.py`)."""
    try:
        return torch.load(checkpoint, map_location="cpu", weights_only=False)
    except Exception as error:
        raise damaged(checkpoint, "a whole checkpoint", error) from error
