"""A configuration as one list: the dotted name of each key, and its value."""

import re
from typing import Any

NAME = re.compile(r"[a-z][a-z0-9_]*")


def flat(configuration: Any, name: str = "", nulls: bool = False) -> dict[str, Any]:
    """`rounds.1.training.epochs` → its value; nothing of what is null unless `nulls`, and in lists never.

    Entries of a list of sections are numbered from 0. Other lists, what is empty, and mappings whose keys are no plain
    names are values.
    """
    if configuration is None and not nulls:
        return {}
    if not _is_section(configuration):
        return {name: configuration}
    is_list = isinstance(configuration, list)
    pairs = enumerate(configuration) if is_list else configuration.items()
    found: dict[str, Any] = {}
    for key, value in pairs:
        found |= flat(value, f"{name}.{key}" if name else str(key), nulls and not is_list)
    return found


def _is_section(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(NAME.fullmatch(key) for key in value)
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)
