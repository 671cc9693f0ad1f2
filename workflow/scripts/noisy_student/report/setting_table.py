"""The table of settings: the configuration key by key, as far as it bears on results."""

import json

import pandas as pd

from noisy_student.report.placing import APART, is_apart
from noisy_student.report.results import Results
from noisy_student.report.setting_keys import flat
from noisy_student.report.table import Table, plain

COLUMNS = ["key", "value"]


def settings(results: Results) -> Table:
    """One row for each key; values as in JSON."""
    values = flat(results.run.get("configuration", {}))
    rows = [(key, json.dumps(value, ensure_ascii=False)) for key, value in values.items() if not is_apart(key)]
    caption = (
        "The configuration, key by key: rounds.1 is round 1, and what it does not name is as for all rounds. A key "
        "that is not here was left to nnU-Net or not asked for. Left out, since they bear on no result: "
        f"{', '.join(APART)}. From this table a configuration can be written that gives the same run."
    )
    return plain("settings", "Every setting", caption, pd.DataFrame(rows, columns=COLUMNS))
