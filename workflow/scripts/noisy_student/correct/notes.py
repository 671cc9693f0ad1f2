"""What people write down beside corrected label maps, in tables with a row for each.

`minutes.tsv`: how long it took. `organs.tsv`: which organs were corrected, where that is not all.
"""

import csv
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from noisy_student.cohort.scan_table import organs_in
from noisy_student.configuration.numbering import unknown_organs
from noisy_student.correct.found import LOOKED_THROUGH, MINUTES, folder_of_round, name_of, names_in
from noisy_student.errors import InputError
from noisy_student.organs import Organ

Value = TypeVar("Value")
# Of a table, line by line: the label map's name, and what the table says of it; or what is wrong.
Line = tuple[str, Value] | str
NUMBER = re.compile(r"\d+([.,]\d*)?|[.,]\d+")
WANTED = "tables beside corrections: text (UTF-8), cells separated by tabs, for each label map one row"
REMEDY = "correct these lines, or take them out"
SHOWN = 20


def read_minutes(path: Path) -> dict[str, float]:
    """Name of a label map that lies beside the table (`<case>`, `<case>__<reader>`) → minutes; {} without a table.

    Lines that are wrong, which stop a run before it begins, are said and left out: persons write while it goes on.
    """
    lines = list(_minutes(path))
    for line in lines:
        if isinstance(line, str):
            print(f"not counted: {line}", file=sys.stderr)
    return _right(lines)


def read_organs(path: Path, organs: Sequence[Organ]) -> dict[str, tuple[str, ...]]:
    """Name of a label map as above → names of the only organs of the label table that were corrected in it.

    Those of which the table has no row, or an empty cell, are not in it. Raises InputError with every line that is
    wrong.
    """
    lines = list(_organs(path, organs))
    _refuse_wrong(lines)
    return {name: named for name, named in _right(lines).items() if named}


def refuse_wrong_notes(folder: Path, rounds: int, organs: Sequence[Organ]) -> None:
    """Raise InputError with every wrong line of the tables beside the corrections of so many rounds."""
    places = [folder_of_round(folder, number) for number in range(1, rounds)]
    _refuse_wrong(line for place in places for line in _of_place(place, organs))


def _of_place(place: Path, organs: Sequence[Organ]) -> Iterator[Line]:
    yield from _minutes(place / MINUTES)
    yield from _organs(place / LOOKED_THROUGH, organs)


def _right(lines: Iterable[Line[Value]]) -> dict[str, Value]:
    return dict(line for line in lines if not isinstance(line, str))


def _refuse_wrong(lines: Iterable[Line]) -> None:
    wrong = [line for line in lines if isinstance(line, str)]
    if wrong:
        more = [f"… and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise InputError(WANTED, "\n".join([f"{len(wrong)} that are wrong", *wrong[:SHOWN], *more]), REMEDY)


def _minutes(path: Path) -> Iterator[Line[float]]:
    return _lines(path, "minutes", _number)


def _number(cell: str) -> float:
    if not NUMBER.fullmatch(cell):
        raise ValueError(f"{cell or 'an empty cell'} is no number of minutes")
    return float(cell.replace(",", "."))


def _organs(path: Path, organs: Sequence[Organ]) -> Iterator[Line[tuple[str, ...]]]:
    return _lines(path, "organs", partial(_known, organs=organs))


def _known(cell: str, organs: Sequence[Organ]) -> tuple[str, ...]:
    named = organs_in({"organs": cell})
    if unknown := unknown_organs(named, organs):
        raise ValueError(f"{unknown[0]}, whose names are {', '.join(organ.name for organ in organs)}")
    return named


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
