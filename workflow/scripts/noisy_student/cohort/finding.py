"""What the checks find, as one line for each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

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
