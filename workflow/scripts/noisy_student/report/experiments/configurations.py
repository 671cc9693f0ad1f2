"""In which keys the configurations of several runs differ."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

ABSENT = "–"
# Lists of rules, which only mean something as a whole.
WHOLE = ("selection",)


def differing_keys(configurations: Mapping[str, dict[str, Any]]) -> pd.DataFrame:
    """One row per key that differs, one column per configuration: values as text, a dash where there is no such key.

    A key that is not set (null) is as one that is not there.
    """
    flat = {name: flattened(settings) for name, settings in configurations.items()}
    keys = dict.fromkeys(key for settings in flat.values() for key in settings)
    rows = [{"key": key, **{name: settings.get(key, ABSENT) for name, settings in flat.items()}} for key in keys]
    table = pd.DataFrame(rows, columns=["key", *flat])
    return table[table[list(flat)].replace("null", ABSENT).nunique(axis=1) > 1].reset_index(drop=True)


def flattened(settings: Any, key: str = "") -> dict[str, str]:
    """Dotted keys (`rounds.1.network`) and their values as text, in the configuration's order."""
    is_whole = key.rsplit(".", 1)[-1] in WHOLE
    if isinstance(settings, dict):
        items = settings.items()
    elif isinstance(settings, list) and not is_whole and any(isinstance(item, dict) for item in settings):
        items = enumerate(settings)
    else:
        return {key: _as_text(settings)}
    flat = {}
    for name, value in items:
        flat |= flattened(value, f"{key}.{name}" if key else str(name))
    return flat


def _as_text(value: Any) -> str:
    """As the configuration would say it; of a rule, what is set."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return "; ".join(
            ", ".join(f"{key}: {_as_text(v)}" for key, v in item.items() if v is not None) for item in value
        )
    return json.dumps(value, ensure_ascii=False)
