"""The table of settings: the configuration key by key, as far as it bears on results."""

import json
from typing import Any

import pandas as pd

from noisy_student.report.placing import APART, is_apart
from noisy_student.report.results import Results
from noisy_student.report.setting_keys import flat
from noisy_student.report.table import Table, plain

COLUMNS = ["key", "value"]


def _whole(configuration: dict[str, Any]) -> dict[str, Any]:
    """With the share of mixed batches, which is not recorded where it is 0; config/config.yaml has another one."""
    noise = configuration.get("noise", {})
    return configuration | ({"noise": noise | {"mixing": noise.get("mixing", 0)}} if noise else {})


def settings(results: Results) -> Table:
    """One row for each key; values as in JSON."""
    values = flat(_whole(results.run.get("configuration", {})), nulls=True)
    rows = [(key, json.dumps(value, ensure_ascii=False)) for key, value in values.items() if not is_apart(key)]
    caption = (
        "The configuration, key by key: rounds.1 is round 1, and what it does not name is as for all rounds. What is "
        "null was left to nnU-Net or not asked for. Left out, since they bear on no result: "
        f"{', '.join(APART)}. A configuration written from this table gives the same run, whatever config/config.yaml "
        "has."
    )
    return plain("settings", "Every setting", caption, pd.DataFrame(rows, columns=COLUMNS))
