"""What lies in the folders of scans, as one short text by which Snakemake sees that something changed."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path


def state_of(folders: Iterable[Path]) -> str:
    """A checksum of the names and sizes of all files in the folders; of a file, its own name and size.

    Dates are left out: a copy on another disk is the same cohort. A changed scan has another size, as it is compressed.
    """
    digest = hashlib.sha256()
    for folder in folders:
        if folder.is_dir():
            files = sorted((entry.name, entry.stat().st_size) for entry in os.scandir(folder) if entry.is_file())
        else:
            files = [(folder.name, folder.stat().st_size if folder.exists() else -1)]
        digest.update(repr(files).encode())
    return digest.hexdigest()[:16]
