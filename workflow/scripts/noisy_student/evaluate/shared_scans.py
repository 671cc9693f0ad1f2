"""Which scans several experiments share: of one role and name, the same voxels and truth, scored in every round.

An organ that is judged in one must be in all: means over other organs do not compare.
"""

from collections.abc import Mapping

import pandas as pd

from noisy_student.evaluate.aggregate import MEASURES

# Role and name.
Scan = tuple[str, str]
# Column of the case table → what it means that its values differ.
MUST_BE_EQUAL = {"sha256": "another scan of this name", "labels_sha256": "another truth"}


def grouped(scores: pd.DataFrame) -> pd.DataFrame:
    """The scores with the group that is judged apart as their role: a test set of its own name is one."""
    if "set" not in scores:
        return scores
    names = scores["set"].fillna("")
    named = scores["role"] + ", " + names
    return scores.assign(role=scores["role"].where(names == "", named)).drop(columns="set")


def shared_scans(cases: Mapping[str, pd.DataFrame], scores: Mapping[str, Mapping[int, pd.DataFrame]]) -> pd.DataFrame:
    """One row per judged scan, test scans first: role, case, and why it is `left_out`, empty (NaN) where all share it.

    `cases`: the case table of each experiment. `scores`: by experiment and round.
    """
    judged = {name: _scans(pd.concat(tables.values())) for name, tables in scores.items()}
    scored = {(name, number): _scored(table) for name, tables in scores.items() for number, table in tables.items()}
    checksums = {name: table.set_index("case")[[*MUST_BE_EQUAL]].fillna("") for name, table in cases.items()}
    rows = [
        (*scan, _not_judged(scan, judged) or _differs(scan[1], checksums) or _scored_otherwise(scan, scored))
        for scan in dict.fromkeys(scan for scans in judged.values() for scan in scans)
    ]
    table = pd.DataFrame(rows, columns=["role", "case", "left_out"])
    return table.sort_values("role", kind="stable", ignore_index=True).replace({"left_out": {"": None}})


def only(scores: pd.DataFrame, scans: pd.DataFrame) -> pd.DataFrame:
    """The scores of the scans that are not left out, in the order of `scans`."""
    shared = scans.loc[scans["left_out"].isna(), ["role", "case"]]
    return shared.merge(scores, on=["role", "case"])


def _scans(scores: pd.DataFrame) -> dict[Scan, None]:
    """Role and case of each, in the table's order."""
    return dict.fromkeys(scores[["role", "case"]].itertuples(index=False, name=None))


def _scored(scores: pd.DataFrame) -> dict[Scan, frozenset[int]]:
    """The scans that have scores, with the labels of the organs that do."""
    judged = scores.dropna(subset=list(MEASURES)).groupby(["role", "case"])["label"]
    return {scan: frozenset(labels) for scan, labels in judged}


def _not_judged(scan: Scan, judged: Mapping[str, dict[Scan, None]]) -> str:
    lacking = [name for name, scans in judged.items() if scan not in scans]
    return f"not judged in {', '.join(lacking)}" if lacking else ""


def _differs(case: str, checksums: Mapping[str, pd.DataFrame]) -> str:
    """What the others' case tables say differently from the first one's."""
    for column, what in MUST_BE_EQUAL.items():
        first, *_ = values = {name: table[column].get(case, "") for name, table in checksums.items()}
        if others := [name for name, value in values.items() if value != values[first]]:
            return f"{what} in {', '.join(others)}"
    return ""


def _scored_otherwise(scan: Scan, scored: Mapping[tuple[str, int], dict[Scan, frozenset[int]]]) -> str:
    lacking = [f"round {number} of {name}" for (name, number), scans in scored.items() if scan not in scans]
    if lacking:
        return f"without a score in {', '.join(lacking)}"
    first, *_ = organs = [scans[scan] for scans in scored.values()]
    others = dict.fromkeys(name for (name, _), own in zip(scored, organs, strict=True) if own != first)
    return f"other organs judged in {', '.join(others)}" if others else ""
