"""Scans named in a tab-separated table instead of by their folder: one row per scan, its case name free."""

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.reading.by_content import data_files

# Columns with paths, which are relative to the table's own folder.
FILES = ("image", "label_map", "truth")
COLUMNS = ("case", *FILES, "organs", "source")


def rows_of(table: Path, required: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows, cells stripped. Raises InputError for a column or cell that is missing, or a column written wrongly."""
    remedy = f"write a tab-separated table with the columns {', '.join(required)}, one row per scan"
    try:
        rows = list(_rows(table))
    except UnicodeDecodeError as error:
        wanted = f"a table of scans in UTF-8 at {table}"
        raise InputError(wanted, "another encoding", "save it as tab-separated text in UTF-8") from error
    except (OSError, csv.Error) as error:
        raise InputError(f"a table of scans at {table}", str(error), remedy) from error
    if not rows:
        raise InputError(f"scans in {table}", "none", remedy)
    if miswritten := _miswritten(rows[0]):
        names = ", ".join(f"`{name}` for `{column}`" for name, column in miswritten.items())
        meant = "write them so, or call them something else if they are other columns, which are left alone"
        raise InputError(f"the columns {', '.join(COLUMNS)} in {table}, as they are written here", names, meant)
    if not set(required) <= rows[0].keys():
        raise InputError(f"the columns {', '.join(required)} in {table}", f"the columns {', '.join(rows[0])}", remedy)
    missing = [f"row {number}: {name}" for number, row in enumerate(rows, 1) for name in required if not row.get(name)]
    if missing:
        raise InputError(
            f"{', '.join(required)} of every scan in {table}", f"missing in {'; '.join(missing[:5])}", remedy
        )
    return rows


def files_of(table: Path) -> list[Path]:
    """Every file that the table names, with the files that hold the voxels of headers; none of a missing table."""
    if not table.exists():
        return []
    named = [path for row in _rows(table) for name in FILES if (path := file_of(table, row, name))]
    return [file for path in named for file in (path, *data_files(path))]


def label_maps_of(table: Path) -> list[Path]:
    """Every label map and truth that the table names; none of a missing table."""
    rows = list(_rows(table)) if table.exists() else []
    return [path for row in rows for name in FILES[1:] if (path := file_of(table, row, name))]


def file_of(table: Path, row: dict[str, str], column: str) -> Path | None:
    """The file that a cell names, if it does."""
    return table.parent / row[column] if row.get(column) else None


def organs_in(row: dict[str, str]) -> tuple[str, ...]:
    """The organs that a row's cell `organs` names, separated by commas; none where it is empty."""
    return tuple(filter(None, (name.strip() for name in row.get("organs", "").split(","))))


def _miswritten(names: Iterable[str]) -> dict[str, str]:
    """Names that are a column's but for upper case, a plural, blanks, hyphens or underscores, and that column."""
    columns = {_bare(column): column for column in COLUMNS}
    return {name: columns[_bare(name)] for name in names if name not in COLUMNS and _bare(name) in columns}


def _bare(name: str) -> str:
    return re.sub(r"[\s_-]", "", name.lower()).removesuffix("s")


def _rows(table: Path) -> Iterator[dict[str, str]]:
    with table.open(newline="", encoding="utf-8-sig") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            yield {name.strip(): (cell or "").strip() for name, cell in row.items() if isinstance(name, str)}
