"""What the checks find, as one line for each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
