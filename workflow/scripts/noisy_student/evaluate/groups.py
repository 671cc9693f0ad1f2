"""What is judged together: the scans of a role, or of each of its sets where the score table has the column `set`."""

import pandas as pd

from noisy_student.sets import POOLED

ALL_ROLES = "all"
Key = tuple[str, ...]


def keys_of(scores: pd.DataFrame) -> list[str]:
    """The columns of `Key`: `role`, and `set` where the scores have it."""
    return ["role", *(["set"] if "set" in scores else [])]


def by_set(scores: pd.DataFrame, pool_sets: bool = False) -> dict[Key, pd.DataFrame]:
    """The rows of each role or set, in the table's order; with `pool_sets`, several sets of a role once more together.

    Scores made outside the workflow carry no role: all cases are taken together.
    """
    found: dict[Key, pd.DataFrame] = {}
    named = scores if "role" in scores else scores.assign(role=ALL_ROLES)
    for role, of_role in named.groupby("role", sort=False):
        if "set" not in of_role:
            found[role,] = of_role
            continue
        found |= {(role, name): rows for name, rows in of_role.groupby("set", sort=False, dropna=False)}
        if pool_sets and of_role["set"].nunique() > 1:
            found[role, POOLED] = of_role
    return found
