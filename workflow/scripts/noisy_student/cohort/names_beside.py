"""What the files beside label maps call their numbers: nnU-Net's dataset.json, ITK-SNAP's label descriptions."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

LARGEST_BYTES = 1_000_000
# IDX R G B A VIS MSH "LABEL"
DESCRIPTION = re.compile(r'\s*(\d+)(?:\s+\d+){3}\s+[\d.]+\s+[01]\s+[01]\s+"([^"]*)"\s*')


@cache
def names_beside(folder: Path) -> tuple[str, dict[int, str]]:
    """The file that names the labels of a folder of label maps, and number → name; nothing where there is none.

    nnU-Net's dataset.json lies beside the folder (`labelsTr`), or in it among predictions.
    """
    for path in (folder / "dataset.json", folder.parent / "dataset.json"):
        if names := _of_dataset(path):
            return str(path), names
    found = {path: names for path in sorted(folder.glob("*")) if (names := _of_description(path))}
    is_one = len({repr(names) for names in found.values()}) == 1
    return next(((str(path), names) for path, names in found.items()), ("", {})) if is_one else ("", {})


def _of_dataset(path: Path) -> dict[int, str]:
    try:
        content = json.loads(_text(path))
    except ValueError:
        return {}
    labels = content.get("labels") if isinstance(content, dict) else None
    return _names(labels) if isinstance(labels, dict) else {}


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
    text = str(number).removesuffix(".0")
    return int(text) if text.isdecimal() else 0


def _of_description(path: Path) -> dict[int, str]:
    if path.suffix not in (".txt", ".label"):
        return {}
    lines = [line for line in _text(path).splitlines() if line.strip() and not line.startswith("#")]
    found = [DESCRIPTION.fullmatch(line) for line in lines]
    names = {int(line[1]): line[2].strip() for line in found if line}
    return {number: name for number, name in names.items() if number and name} if all(found) else {}


def _text(path: Path) -> str:
    """A small text file's content; nothing of others."""
    try:
        return path.read_text("utf-8-sig", "replace") if path.stat().st_size < LARGEST_BYTES else ""
    except OSError:
        return ""
