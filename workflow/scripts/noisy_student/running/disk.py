"""Is there room where something is to be written? Asked by writing: free bytes say nothing of quotas and limits."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from noisy_student.sizes import size_in_words

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PROBE_BYTES = 1 << 20
# What a job that has failed wrote last is gone already, so that little may have been nothing.
LITTLE_BYTES = 100e6


def shortage(folder: Path) -> str:
    """Whether a folder has no room, or little; empty where it has enough, is not there or may not be written to."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return f"full: {folder} ({error.strerror})" if error.errno in NO_SPACE else ""
    return f"nearly full: {folder} ({size_in_words(free)} free)" if free < LITTLE_BYTES else ""


def shortages(folders: Iterable[Path]) -> list[str]:
    """The same of several folders, once for each disk, with the first of its folders."""
    disks: dict[int, Path] = {}
    for folder in filter(Path.exists, folders):
        disks.setdefault(folder.stat().st_dev, folder)
    return [text for folder in disks.values() if (text := shortage(folder))]
