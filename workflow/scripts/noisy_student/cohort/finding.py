"""What the checks find, as one line for each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from noisy_student.cohort.scans import Scan

# The gravest first.
Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True)
class Finding:
    """Something about a case that the user must see. Errors stop the run, warnings go into the report.

    A note says what was not looked at: `check` shows it, and it alarms nobody.
    """

    case: str
    file: Path | str
    severity: Severity
    found: str
    wanted: str
    remedy: str


def of_file(scan: Scan, file: Path) -> tuple[Callable[..., Finding], Callable[..., Finding]]:
    """Makers of errors and of warnings about one file of a case, from (found, wanted, remedy)."""
    return partial(Finding, scan.case, file, "error"), partial(Finding, scan.case, file, "warning")
