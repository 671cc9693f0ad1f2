"""What nnU-Net wants to be told: names, formats, folders."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

DATASET = "Dataset001_NoisyStudent"
CONFIGURATION = "3d_fullres"
CASES_FOLDER = "cases"
FORMAT = ".nii.gz"


@contextmanager
def nnunet_folders(beside: Path) -> Iterator[tuple[Path, Path]]:
    """nnU-Net's raw and preprocessed dataset folders, made beside a path for the length of a block."""
    beside.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".nnunet-", dir=beside.parent) as root, patch.dict(os.environ):
        folders = []
        for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
            os.environ[name] = str(Path(root, name).resolve())
            folders.append(Path(os.environ[name], DATASET))
            folders[-1].mkdir(parents=True)
        yield folders[0], folders[1]


@contextmanager
def threads_for_processes() -> Iterator[None]:
    """For the length of a block nnU-Net's pools are of threads: each of its processes would import nnU-Net anew."""
    with patch("multiprocessing.get_context", lambda _method: SimpleNamespace(Pool=ThreadPool)):
        yield
