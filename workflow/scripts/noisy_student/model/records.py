"""The record beside a label map: which model made it. Without imaging libraries."""

import json
import re
from pathlib import Path

ENDING = ".nii.gz"
# So much of a model's checksum names it.
SHORT = 12
MODEL = re.compile(r"model (\w+), scan ")


def record_beside(label_map: Path) -> Path:
    """Where the record of a label map `<case>.nii.gz` lies."""
    return label_map.parent / "scores" / f"{label_map.name.removesuffix(ENDING)}.json"


def model_of(label_map: Path) -> str:
    """Which model made a label map, by its checksum; empty where no whole record says it."""
    try:
        found = MODEL.match(json.loads(record_beside(label_map).read_text())["made_from"])
    except (OSError, ValueError, KeyError):
        return ""
    return found[1] if found else ""
