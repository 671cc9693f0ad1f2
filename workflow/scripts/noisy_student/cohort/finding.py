"""What the checks find, as one line for each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from noisy_student.cohort.scans import Scan

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """Something about a case that the user must see. Errors stop the run, warnings go into the report."""

    case: str
    file: Path | str
    severity: Severity
    found: str
    wanted: str
    remedy: str


def of_file(scan: Scan, file: Path) -> tuple[Callable[..., Finding], Callable[..., Finding]]:
    """Makers of errors and of warnings about one file of a case, from (found, wanted, remedy)."""
    return partial(Finding, scan.case, file, "error"), partial(Finding, scan.case, file, "warning")
