"""Where a key of the configuration is said: in the methods text, in the table of settings alone, or nowhere.

A test goes through all keys of the configuration: one that neither changes the text nor stands here fails it. To place
a new key, say it in `report/methods/`, or name it in `FURTHER`, which says it at the end of a paragraph.
In names `*` stands for a number or a name; what a section's name says holds for all of it.
"""

import re
from collections.abc import Iterator
from typing import Any

from noisy_student.report.setting_keys import flat

# Keys that bear on no result.
APART = {
    "device": "where networks run",
    "shards": "into how many jobs the work is cut",
    "training.checkpoint_every_epochs": "from where an interrupted training goes on",
    "deploy.training.voices": "with which weights it would label for a next round",
    "prediction.compile": "how fast a network runs",
    "prediction.channels_last": "how fast a network runs",
    "report": "what is shown of the results",
    "organs.*.short": "tables of a command",
    "organs.*.colour": "pictures",
    "organs.*.snomed": "exports",
    "cohort.folders.*.*.key": "where the key of case names is kept",
    "cohort.folders.*.*.names": "where the table that leads back to patients is kept",
}
# Keys that would drown a text: the table of settings has them.
TABLE_ALONE = {
    "organs.*.aliases": "by which names label maps are read",
    "organs.*.volume_ml": "what is warned of",
    "organs.*.left_twin": "which organs are a pair",
    "cohort.folders": "where scans lie, and what is labelled in them; the case table has each scan",
    "corrections.folder": "where corrected label maps lie; the report has a table of them",
    "rounds.*.model": "models from elsewhere are said as they were taken, with the checksums that were found",
    "rounds.*.sha256": "by which a model is trusted",
    "rounds.*.start.sha256": "by which a model is trusted",
    "deploy.start.sha256": "by which a model is trusted",
}
# Section of the text → key → what is said of it, with `{}` for its value.
FURTHER: dict[str, dict[str, str]] = {
    "Training": {
        "training.validation_iterations_per_epoch": "{} validation batches after each epoch",
        "training.foreground_fraction": "share of patches centred on an organ (whole ones of a batch): {}",
    },
    "Efficiency": {"efficiency.time_limit_s": "time limit of a scan: {} s"},
}


def is_apart(key: str) -> bool:
    """Whether a key bears on no result."""
    return _is_among(key, APART)


def is_in_table_alone(key: str) -> bool:
    """Whether a key is in the table of settings, and not in the text."""
    return _is_among(key, TABLE_ALONE)


def further(section: str, configuration: dict[str, Any]) -> str:
    """The sentence at the end of a section with what is said of single keys; empty where there are none."""
    values = flat(configuration)
    said = "; ".join(_said(FURTHER.get(section, {}), values))
    return f"Further settings: {said}." if said else ""


def _said(words: dict[str, str], values: dict[str, Any]) -> Iterator[str]:
    for key, text in words.items():
        if key in values:
            value = values[key]
            yield text.format({True: "yes", False: "no"}[value] if isinstance(value, bool) else value)


def _is_among(key: str, patterns: dict[str, str]) -> bool:
    return any(matches(key, pattern) for pattern in patterns)


def matches(key: str, pattern: str) -> bool:
    """Whether a key is the one that is named, or lies below it."""
    name = re.escape(pattern).replace(re.escape("*"), "[^.]+")
    return re.match(rf"{name}(\.|$)", key) is not None
