"""What people write down beside corrected label maps, in tables of a row each: how long it took, in `minutes.tsv`."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from noisy_student.correct.found import minutes_of_round, name_of, names_in
from noisy_student.errors import InputError

Value = TypeVar("Value")
# Of a table, line by line: the label map's name, and what the table says of it; or what is wrong.
Line = tuple[str, Value] | str
NUMBER = re.compile(r"\d+([.,]\d*)?|[.,]\d+")
WANTED = "tables beside corrections: text (UTF-8), cells separated by tabs, for each label map one row"
REMEDY = "correct these lines, or take them out"
SHOWN = 20


def read_minutes(path: Path) -> dict[str, float]:
    """Name of a label map that lies beside the table (`<case>`, `<case>__<reader>`) → minutes; {} without a table.

    Raises InputError with every line that is wrong.
    """
    lines = list(_minutes(path))
    _refuse([line for line in lines if isinstance(line, str)])
    return dict(line for line in lines if not isinstance(line, str))


def refuse_wrong_notes(folder: Path, rounds: int) -> None:
    """Raise InputError with every wrong line of the tables beside the corrections, where there are so many rounds."""
    paths = [minutes_of_round(folder, number) for number in range(1, rounds)]
    _refuse([line for path in paths for line in _minutes(path) if isinstance(line, str)])


def _refuse(wrong: list[str]) -> None:
    if wrong:
        more = [f"… and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise InputError(WANTED, "\n".join([f"{len(wrong)} that are wrong", *wrong[:SHOWN], *more]), REMEDY)


def _minutes(path: Path) -> Iterator[Line[float]]:
    return _lines(path, "minutes", _number)


def _number(cell: str) -> float:
    if not NUMBER.fullmatch(cell):
        raise ValueError(f"{cell or 'an empty cell'} is no number of minutes")
    return float(cell.replace(",", "."))


def _lines(path: Path, column: str, value: Callable[[str], Value]) -> Iterator[Line[Value]]:
    """The lines of a table, if there is one; `value` of a cell of its `column`, or a ValueError that says why not."""
    if not path.exists():
        return
    try:
        rows = _rows(path, ("case", column))
    except (OSError, ValueError, csv.Error) as error:
        yield f"{path}: {error}"
        return
    names, seen = names_in(path.parent), dict[str, int]()
    for number, row in rows:
        name = name_of(row["case"], row.get("reader", ""))
        first = seen.setdefault(name, number)
        try:
            if name not in names:
                raise ValueError(f"{name or 'a row without a case'}: no such label map lies beside the table")
            if first != number:
                raise ValueError(f"{name} is in line {first} already")
            yield name, value(row[column])
        except ValueError as error:
            yield f"{path}, line {number}: {error}"


def _rows(path: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The lines that are not empty, each with its number; of names and cells the spaces around them do not count."""
    with path.open(newline="", encoding="utf-8-sig") as stream:
        reader = csv.reader(stream, delimiter="\t")
        header = [name.strip().lower() for name in next(reader, [])]
        if missing := [name for name in columns if name not in header]:
            raise ValueError(f"no column {', '.join(missing)}, but {', '.join(filter(None, header)) or 'nothing'}")
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    empty = dict.fromkeys(header, "")
    return [(line, empty | dict(zip(header, cells, strict=False))) for line, cells in rows if any(cells)]
