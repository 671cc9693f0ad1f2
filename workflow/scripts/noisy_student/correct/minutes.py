"""How long corrections took: the table `minutes.tsv` beside them, which people and their spreadsheets write."""

from pathlib import Path

import pandas as pd

from noisy_student.errors import InputError

COLUMNS = ("case", "minutes")
REMEDY = "save it as text (UTF-8) with the columns case, reader and minutes, separated by tabs; or take it away"


def read_minutes(path: Path, corrected: pd.DataFrame) -> dict[tuple[str, str], float]:
    """(case, reader) → minutes; empty where there is no table. A table without a column `reader` is of no reader's.

    Raises InputError for what is no such table or no number, for rows of one correction twice, and for rows of none
    (`corrected` has their cases and readers).
    """
    if not path.exists():
        return {}
    table = _read(path)
    readers = table.get("reader", pd.Series("", table.index))
    minutes = pd.to_numeric(table.minutes.str.replace(",", "."), errors="coerce")
    if (wrong := table.case[minutes.isna() | (minutes < 0)]).any():
        raise InputError(f"minutes as numbers in {path}", f"none for {', '.join(wrong[:5])}", "correct these cells")
    keys = list(zip(table.case, readers, strict=True))
    if twice := [" by ".join(filter(None, key)) for key in dict.fromkeys(keys) if keys.count(key) > 1]:
        raise InputError(f"one row of each correction in {path}", f"several of {', '.join(twice[:5])}", "add them up")
    known = set(zip(corrected.case, corrected.reader, strict=True))
    if strangers := [" by ".join(filter(None, key)) for key in keys if key not in known]:
        remedy = "correct the names, or take these rows out"
        raise InputError(f"in {path} the corrections beside it", f"rows of {', '.join(strangers[:5])}", remedy)
    return dict(zip(keys, minutes, strict=True))


def _read(path: Path) -> pd.DataFrame:
    """The table as text, without spaces around its cells, and without empty rows."""
    wanted = f"a table of the minutes that corrections took at {path}"
    try:
        table = pd.read_csv(path, sep="\t", dtype=str, encoding="utf-8-sig", keep_default_na=False)
    except ValueError as error:  # of pandas and of decoding
        raise InputError(wanted, str(error), REMEDY) from error
    table = table.apply(lambda column: column.str.strip()).rename(columns=lambda name: name.strip().lower())
    if missing := [name for name in COLUMNS if name not in table]:
        raise InputError(wanted, f"one without {', '.join(missing)}", REMEDY)
    return table[(table != "").any(axis=1)]
