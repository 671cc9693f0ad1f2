"""Tab-separated tables, written in one step and checked against their columns."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from noisy_student.errors import InputError
from noisy_student.files import whole_file
from noisy_student.reading.names import extension_of

# Columns that stay text whatever they look like: a case may be named 007.
TEXT_COLUMNS = (
    *("case", "role", "image", "label_map", "truth", "sha256", "labels_sha256", "voxels_sha256", "source"),
    "set",
    *("reader", "changed", "labels", "reason", "found", "masked", "mask_reason"),
)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write `path` in one step; missing values as empty cells."""
    with whole_file(path, flush=True) as temporary:
        table.to_csv(temporary, sep="\t", index=False, float_format="%.6g", lineterminator="\n")


def require_table(output: Path, inputs: Iterable[Path]) -> None:
    """Raise InputError unless a table may be written there: no folder, no image and none of the inputs."""
    got = f"--output {output}"
    if output.is_dir():
        got += ", which is a folder"
    elif extension_of(output):
        got += ", which is the name of an image"
    elif any(output.exists() and path.exists() and output.samefile(path) for path in inputs):
        got += ", which is an input"
    else:
        return
    raise InputError("a file of its own for the table", got, "name another file with --output, such as scores.tsv")


def stacked(tables: Iterable[pd.DataFrame], columns: Iterable[str]) -> pd.DataFrame:
    """Many small tables as one, taken one by one; without any, an empty one with these columns.

    A small table that is kept takes 0.1 MB whatever is in it, so only its rows are.
    """
    rows = [row for table in tables for row in table.to_dict("records")]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(columns))


def read_tables(paths: Iterable[Path], columns: Iterable[str]) -> pd.DataFrame:
    """Tables of the same columns as one, such as those of shards: one that has no rows says nothing of their types."""
    parts = [read_table(path, list(columns)) for path in paths]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def read_table(path: Path, columns: Iterable[str] = ()) -> pd.DataFrame:
    """Read a table and require the given columns. Raises InputError also if the table's end is missing."""
    remedy = "delete it and start the run again (or end its last line, if you edited it)"
    try:
        whole = path.read_bytes().endswith(b"\n")
    except OSError as error:
        absent = "start the run that makes it, or check the path"
        raise InputError(f"a table at {path}", error.strerror or str(error), absent) from error
    if not whole:
        raise InputError(f"a whole table at {path}", "one that ends within a line", remedy)
    text = dict.fromkeys(TEXT_COLUMNS, str)
    table = pd.read_csv(path, sep="\t", dtype=text, keep_default_na=False, na_values=[""])
    missing = [name for name in columns if name not in table]
    if missing:
        raise InputError(
            f"a table with the columns {', '.join(columns)} at {path}",
            f"one without {', '.join(missing)}",
            remedy,
        )
    return table
