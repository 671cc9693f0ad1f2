"""Are there enough labelled scans to train with? Else that would be found once all are converted and preprocessed."""

from pathlib import Path

import pandas as pd

from noisy_student.cohort.finding import Finding

# `training.splits` is no less.
FEWEST = 2


def too_few_labelled(cases: pd.DataFrame, splits: int, table: Path) -> list[Finding]:
    """An error where the `cases` of a case table, the file `table`, have no labelled scan for each of the splits."""
    labelled = int((cases.role == "labelled").sum())
    if labelled >= splits:
        return []
    lower = f", or lower `training.splits` to {labelled}, and `training.folds` with it" if labelled >= FEWEST else ""
    found, wanted = f"{labelled} labelled scan(s)", f"{splits} or more, one for each of `training.splits`"
    return [Finding("all", table, "error", found, wanted, f"add some{lower}")]
