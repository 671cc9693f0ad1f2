"""A table of the report: what the page shows, and the numbers behind it for the TSV file."""

from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Cell:
    """What one cell shows: a value, a smaller line below it, and `better` or `worse` where that is certain."""

    text: str
    note: str = ""
    mark: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Table:
    """`rows` are shown, `data` is written to `tables/<name>.tsv`; the last row is a total where `total` says so."""

    name: str
    title: str
    caption: str
    columns: list[str]
    rows: list[list[Cell]]
    data: pd.DataFrame = field(repr=False)
    total: bool = False


def plain(name: str, title: str, caption: str, data: pd.DataFrame) -> Table:
    """A table that shows its data as they are."""
    shown = data.astype(object).where(data.notna(), "")
    rows = [[Cell(str(value)) for value in row] for row in shown.itertuples(index=False)]
    return Table(name, title, caption, [str(column) for column in data.columns], rows, data)


def one_row(data: pd.DataFrame, **wanted: object) -> pd.Series:
    """The row that has these values; missing values where there is none."""
    rows = data.loc[(data[list(wanted)] == pd.Series(wanted)).all(axis=1)] if len(data) else data
    return rows.iloc[0] if len(rows) else pd.Series(index=data.columns, dtype=float)
