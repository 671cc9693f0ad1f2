"""Do disk and memory suffice for the configured run? What it needs is estimated from the scans' headers, generously.

Counted is what grows with the scans; the checkpoints of a training, some gigabytes, come on top.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from noisy_student.cohort.converted import FORMAT
from noisy_student.cohort.finding import Finding, Severity
from noisy_student.geometry import CANONICAL_ORIENTATION
from noisy_student.memory import CONVERSION, MEGABYTE, PREPROCESSING, LargestScan, labelling
from noisy_student.sizes import size_in_words

Spacing = tuple[float, float, float] | None
# Per voxel: a converted scan as it is before compression; a preprocessed one in float32; at most, a label map and the
# confidence of its voxels, compressed.
CONVERTED_BYTES, PREPROCESSED_BYTES, LABEL_BYTES = 2, 4, 0.2
# Where the run lays what the estimate counts.
MADE = ("cohort/images", "cohort/label_maps", "preprocessed", "round_*")
# The estimate errs on the high side. Less than this share of it cannot do.
CERTAINLY_TOO_LITTLE = 0.5


@dataclass(frozen=True)
class Plan:
    """What is configured: each used network's spacing (mm; z, y, x), the number of rounds, and of classes."""

    spacings_mm_zyx: Sequence[Spacing]
    rounds: int
    classes: int


def disk_bytes(cases: pd.DataFrame, plan: Plan) -> float:
    """Bytes that the run's results take: converted and preprocessed scans, and the label maps of all rounds."""
    own = cases[[f"size_{axis}" for axis in "xyz"]].prod(axis=1)
    extent_mm3 = own * cases[[f"spacing_{axis}_mm" for axis in "xyz"]].prod(axis=1)
    scans = [LargestScan(voxels, extent) for voxels, extent in zip(own, extent_mm3, strict=True)]
    is_linked = cases.image.str.endswith(FORMAT) & (cases.orientation == CANONICAL_ORIENTATION)
    per_network = [sum(scan.network_voxels(spacing) for scan in scans) for spacing in plan.spacings_mm_zyx]
    labels = plan.rounds * LABEL_BYTES * (own.sum() + max(per_network, default=0))
    return CONVERTED_BYTES * own[~is_linked].sum() + PREPROCESSED_BYTES * sum(per_network) + labels


def memory_bytes(table: Path, plan: Plan) -> int:
    """Bytes that the largest job asks for, as in `noisy_student.memory`."""
    needs = (CONVERSION, PREPROCESSING, labelling(plan.classes))
    jobs = [need.memory_mb(table, spacing, 1) for need in needs for spacing in plan.spacings_mm_zyx]
    return MEGABYTE * max(jobs, default=0)


def free_disk_bytes(results: Path) -> int:
    """Bytes that are free where the results lie, or already taken by what the run has made of the scans."""
    made = {}
    for path in (path for folder in MADE for path in results.glob(f"{folder}/**/*")):
        # A link leads to what counts where it lies, or to nothing.
        with suppress(FileNotFoundError):
            state = path.lstat()
            made[state.st_ino] = state.st_blocks * 512
    return shutil.disk_usage(results).free + sum(made.values())


def machine_memory_bytes() -> int:
    """Bytes of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def room_findings(disk: tuple[float, float], memory: tuple[float, float], results: Path) -> list[Finding]:
    """What is short, from (needed, available) bytes of disk and of memory."""
    disk_remedy = "free some, or make `results` a link to a larger disk; coarser spacings and fewer networks need less"
    memory_remedy = "take a larger machine, or take the largest scans out (cases.tsv has their sizes)"
    shortages = (
        _shortage(results, "of disk for the whole run", *disk, disk_remedy),
        _shortage("memory", "of memory for the largest scan", *memory, memory_remedy),
    )
    return [finding for finding in shortages if finding]


def _shortage(file: Path | str, what: str, needed: float, available: float, remedy: str) -> Finding | None:
    if available >= needed:
        return None
    severity: Severity = "error" if available < CERTAINLY_TOO_LITTLE * needed else "warning"
    wanted = f"{size_in_words(needed)} {what}, by a generous estimate"
    return Finding("all", file, severity, size_in_words(available), wanted, remedy)
