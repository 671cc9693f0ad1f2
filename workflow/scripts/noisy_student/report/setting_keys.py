"""A configuration as one list: the dotted name of each key, and its value."""

import re
from typing import Any

NAME = re.compile(r"[a-z][a-z0-9_]*")


def flat(configuration: Any, name: str = "") -> dict[str, Any]:
    """`rounds.1.training.epochs` → its value; nothing of what is null.

    Entries of a list of sections are numbered from 0. Other lists, what is empty, and mappings whose keys are no plain
    names are values.
    """
    if configuration is None:
        return {}
    if not _is_section(configuration):
        return {name: configuration}
    pairs = configuration.items() if isinstance(configuration, dict) else enumerate(configuration)
    found: dict[str, Any] = {}
    for key, value in pairs:
        found |= flat(value, f"{name}.{key}" if name else str(key))
    return found


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """The configuration of which `flat` made this."""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *path, last = name.split(".")
        place = tree
        for key in path:
            place = place.setdefault(key, {})
        place[last] = value
    return _with_lists(tree, values)


def _with_lists(tree: Any, values: dict[str, Any], name: str = "") -> Any:
    if not isinstance(tree, dict) or name in values:
        return tree
    made = {key: _with_lists(value, values, f"{name}.{key}" if name else key) for key, value in tree.items()}
    return list(made.values()) if made and all(key.isdecimal() for key in made) else made


def _is_section(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(NAME.fullmatch(key) for key in value)
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)
