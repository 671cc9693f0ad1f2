"""How long corrections took: the table `minutes.tsv` beside them."""

from pathlib import Path

import pandas as pd

from noisy_student.errors import InputError
from noisy_student.tables import read_table


def read_minutes(path: Path, corrected: pd.DataFrame) -> dict[tuple[str, str], float]:
    """(case, reader) → minutes; empty where there is no table. A table without a column `reader` is of no reader's.

    Raises InputError for what is no number, and for rows of no correction (`corrected` has their cases and readers).
    """
    if not path.exists():
        return {}
    table = read_table(path, ["case", "minutes"])
    readers = table.get("reader", pd.Series("", table.index)).fillna("")
    minutes = pd.to_numeric(table.minutes, errors="coerce")
    if (wrong := table.case[minutes.isna() | (minutes < 0)]).any():
        raise InputError(f"minutes as numbers in {path}", f"none for {', '.join(wrong[:5])}", "correct these cells")
    known = set(zip(corrected.case, corrected.reader, strict=True))
    found = dict(zip(zip(table.case, readers, strict=True), minutes, strict=True))
    if strangers := [" by ".join(filter(None, key)) for key in found if key not in known]:
        remedy = "correct the names, or take these rows out"
        raise InputError(f"in {path} the corrections beside it", f"rows of {', '.join(strangers[:5])}", remedy)
    return found
