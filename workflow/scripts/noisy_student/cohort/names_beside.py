"""What the files beside label maps call their numbers.

nnU-Net's dataset.json, ITK-SNAP's label descriptions, 3D Slicer's colour tables
(https://slicer.readthedocs.io/en/latest/developer_guide/modules/colors.html).
"""

import csv
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from noisy_student.cohort.nnunet_raw import DATASET, description_of
from noisy_student.reading.names import stem_of

ENDINGS = (".csv", ".txt", ".label", ".ctbl")
LARGEST_BYTES = 1_000_000
# Where nnU-Net's cross-validation puts its label maps, below the folder that has its dataset.json.
FOLD, OF_FOLD = re.compile(r"fold_(\d+|all)"), "validation"
# IDX R G B A VIS MSH "LABEL"
DESCRIPTION = re.compile(r'\s*(\d+)(?:\s+\d+){3}\s+[\d.]+\s+[01]\s+[01]\s+"([^"]*)"\s*')
# INDEX NAME R G B A, spaces in names being underscores; the first line tells it from other texts.
COLOUR, COLOURS = re.compile(r"\s*(\d+)\s+(\S.*?)(?:\s+[\d.]+){4}\s*"), "# Color table file"
# The same as columns.
VALUE, NAME = "LabelValue", "Name"
OF_LABEL_MAP = "_ColorTable"
NO_NAME = "(none)"


class Beside(NamedTuple):
    """The file that names the numbers of label maps, and number → name; nothing where there is none.

    `lists_all`: an organ that is not in a scan has a name all the same. Colour tables name what is there.
    """

    where: str = ""
    names: dict[int, str] = {}  # noqa: RUF012 (never changed)
    lists_all: bool = True


def names_of(label_map: Path) -> Beside:
    """What names the numbers of a label map: a table of its own name, or what does for all of its folder."""
    own = own_names(label_map)
    return own if own.names else names_beside(label_map.parent)


def own_names(label_map: Path) -> Beside:
    """What names the numbers of a label map under its own name."""
    stem = stem_of(label_map)
    for path, found in _tables_in(label_map.parent).items():
        if path.stem in (stem, stem + OF_LABEL_MAP):
            what = "label description" if found.lists_all else "colour table"
            return found._replace(where=f"its {what}")
    return Beside()


@cache
def names_beside(folder: Path) -> Beside:
    """What names the numbers of all label maps of a folder.

    nnU-Net's dataset.json lies beside the folder (`labelsTr`), in it among predictions, or above its fold.
    """
    for place in (folder, folder.parent, *_above_fold(folder)):
        labels = description_of(place).get("labels")
        if names := _names(labels) if isinstance(labels, dict) else {}:
            return Beside(str(place / DATASET), names)
    found = list(_tables_in(folder).values())
    return found[0] if len({repr(table.names) for table in found}) == 1 else Beside()


def differing_names(folder: Path) -> list[tuple[str, dict[int, str]]]:
    """The tables of a folder, by name, that say something else than what names the numbers of the whole folder."""
    of_all = names_beside(folder).names
    return [(path.name, found.names) for path, found in _tables_in(folder).items() if found.names != of_all]


def _above_fold(folder: Path) -> list[Path]:
    within = folder.absolute()
    is_fold = within.name == OF_FOLD and FOLD.fullmatch(within.parent.name)
    return [within.parent.parent] if is_fold else []


@cache
def _tables_in(folder: Path) -> dict[Path, Beside]:
    """The descriptions and colour tables in a folder, by name."""
    found = {path: _of_table(path) for path in sorted(folder.glob("*"))}
    return {path: table for path, table in found.items() if table.names}


def _of_table(path: Path) -> Beside:
    kind = path.suffix.lower()
    if kind not in ENDINGS:
        return Beside()
    if kind == ".csv":
        return Beside(str(path), _of_columns(text_of(path)), False)
    text = text_of(path)
    is_colours = kind == ".ctbl" or text.startswith(COLOURS)
    return Beside(str(path), _of_lines(text, COLOUR if is_colours else DESCRIPTION, is_colours), not is_colours)


def _of_lines(text: str, line: re.Pattern, underscores: bool) -> dict[int, str]:
    """Number → name, if all lines but comments are of the form."""
    found = [line.fullmatch(given) for given in text.splitlines() if given.strip() and not given.startswith("#")]
    names = {int(one[1]): one[2].strip() for one in found if one} if all(found) else {}
    if underscores:
        names = {number: name.replace("_", " ").strip() for number, name in names.items() if name != NO_NAME}
    return {number: name for number, name in names.items() if number and name}


def _of_columns(text: str) -> dict[int, str]:
    try:
        rows = list(csv.DictReader(text.splitlines()))
    except csv.Error:
        return {}
    names = {_whole(row.get(VALUE)): (row.get(NAME) or "").strip() for row in rows}
    return {number: name for number, name in names.items() if number and name}


def _names(labels: dict[str, Any]) -> dict[int, str]:
    """Number → name, from {"1": "liver"} or {"liver": 1}; of a region, {"pancreas": [1, 2]}, what has no other name."""
    own, regions = {}, {}
    for key, value in labels.items():
        if isinstance(value, str) and key.isdecimal():
            own[int(key)] = value
            continue
        names = own if not isinstance(value, list) or len(value) == 1 else regions
        for number in map(_whole, value if isinstance(value, list) else [value]):
            names[number] = key if number not in names else ""
    return {number: name for number, name in {**regions, **own}.items() if number and name}


def _whole(number: Any) -> int:
    """A label, also one that was written as text or as a real; 0 for what is none."""
    text = str(number).strip().removesuffix(".0")
    return int(text) if text.isdecimal() else 0


def text_of(path: Path) -> str:
    """A small text file's content; nothing of others."""
    try:
        return path.read_text("utf-8-sig", "replace") if path.stat().st_size < LARGEST_BYTES else ""
    except OSError:
        return ""
