"""What the records of a run say of the results beside them.

Until a run ends, `run.json` is an earlier one's; `experiment.json` is there from the start.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from noisy_student.files import sha256

EXPERIMENT = "experiment.json"
EMBEDDED = "embedded"


def results_of(model: Path) -> Path:
    """The results that a round's model lies in, as `results/round_2/model`; of another one any folder."""
    return model.resolve().parent.parent


def labels_of_run(case_table: Path) -> dict[str, int]:
    """The label table of the run that a case table is of, organ → number; empty where no record says it."""
    try:
        return dict(json.loads((case_table.resolve().parent.parent / EXPERIMENT).read_text())["organs"])
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def is_of_generated_scans(model: Path) -> bool:
    """Whether the experiment that a model was trained in has the embedded cohort; not where no record says so."""
    try:
        return json.loads((results_of(model) / EXPERIMENT).read_text())["cohort"]["kind"] == EMBEDDED
    except (OSError, ValueError, LookupError, TypeError):
        return False


def judged_since(run: Mapping[str, Any], summaries: Iterable[Path]) -> list[Path]:
    """Those of rounds' summaries (`round_<k>/summary.tsv`) that a record has not, or has with another checksum."""
    checksums = {Path(file).parts[-2:]: checksum for file, checksum in run.get("checksums", {}).items()}
    return [path for path in summaries if checksums.get(path.parts[-2:]) != sha256(path)]
