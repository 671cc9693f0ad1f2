"""nnU-Net's checkpoints on disk: whether one is whole, and what it holds."""

import errno
import zipfile
from pathlib import Path
from typing import Any

import torch

from noisy_student.command import lacks_memory
from noisy_student.damage import damaged

# Of the system, where there is no file, or damaged bytes lead to a place in it that is none.
NOT_WHOLE = (errno.ENOENT, errno.EINVAL)


def is_whole(checkpoint: Path) -> bool:
    """Whether the file is there and every record of it has its checksum.

    Raises OSError where it is there and may not or cannot be read just now: it may well be whole.
    """
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            return archive.testzip() is None
    except MemoryError:
        raise
    except OSError as error:
        if error.errno in NOT_WHOLE:
            return False
        raise
    except Exception:  # zipfile raises whatever damaged bytes lead to
        return False


def read_checkpoint(checkpoint: Path) -> dict[str, Any]:
    """What a trainer wrote, on the host. Unpickling can run any code: foreign ones must be trusted (`trust.py`).

    Raises InputError for a damaged one; where memory ran out for a whole one, what says so.
    """
    try:
        return torch.load(checkpoint, map_location="cpu", weights_only=False)
    except Exception as error:
        if lacks_memory(error) and is_whole(checkpoint):
            raise
        raise damaged(checkpoint, "a whole checkpoint", error) from error
