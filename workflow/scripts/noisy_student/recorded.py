"""Whether a run's record, `run.json`, is of the results beside it: until a run ends, an earlier one's lies there."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from noisy_student.files import sha256


def judged_since(run: Mapping[str, Any], summaries: Iterable[Path]) -> list[Path]:
    """Those of rounds' summaries (`round_<k>/summary.tsv`) that a record has not, or has with another checksum."""
    checksums = {Path(file).parts[-2:]: checksum for file, checksum in run.get("checksums", {}).items()}
    return [path for path in summaries if checksums.get(path.parts[-2:]) != sha256(path)]
