"""The corrections that count in a round: of each scan one."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from noisy_student.cohort.labelled_organs import ORGANS
from noisy_student.damage import damaged
from noisy_student.files import sha256
from noisy_student.tables import read_table

# `sha256` is that of the file as it was handed in, `labels_sha256` that of `label_map`, which is written from it.
CHECKED = ("round", "case", "reader", "is_used", "file", "sha256", "label_map", "labels_sha256", ORGANS)
# Columns and values of the tables of what was changed.
COMPARED = (
    *("round", "case", "reader", "is_used", "state", "changed", "added_ml", "removed_ml", "slices", "minutes"),
    *(ORGANS, "file", "sha256", "handed_out_sha256"),
)
BY_ORGAN = ("case", "reader", "label", "organ", "before_ml", "after_ml", "added_ml", "removed_ml", "voxels", "slices")
BY_READERS = ("case", "reader", "other_reader", "label", "organ", "DSC")
CHANGED, CONFIRMED = "changed", "confirmed"


def corrections_of(tables: Sequence[Path]) -> pd.DataFrame:
    """The corrections that are used, from tables of rounds in their order: of a scan that of the last round.

    Raises InputError where a label map is not what it was when it was checked.
    """
    read = [table for path in tables if len(table := read_table(path, CHECKED))]
    if not read:
        return pd.DataFrame(columns=list(CHECKED))
    every = pd.concat(read, ignore_index=True)
    used = every[every.is_used == "yes"].drop_duplicates("case", keep="last").sort_values("case", ignore_index=True)
    for row in used.itertuples():
        path = Path(row.label_map)
        if not path.exists() or sha256(path) != row.labels_sha256:
            raise damaged(path, "a corrected label map as it was checked", "another content")
    return used


def in_words(row: object) -> str:
    """Whose label a correction is: "label of round 1 corrected by anna (SHA-256 0123456789ab)"."""
    by = f" by {row.reader}" if isinstance(row.reader, str) and row.reader else ""
    return f"label of round {row.round} corrected{by} (SHA-256 {row.sha256[:12]})"
