"""Which cases are judged, and the table of all their scores."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from noisy_student.errors import InputError
from noisy_student.evaluation.case_scores import OrganScore, score_case
from noisy_student.evaluation.evaluation_modes import Mode
from noisy_student.files import visible
from noisy_student.images import require_unchanged
from noisy_student.organs import FLARE22, Organ
from noisy_student.parallel import in_order
from noisy_student.tables import read_table

SUFFIX = ".nii.gz"


@dataclass(frozen=True)
class JudgedCase:
    """A case to score. Outside the workflow `role` and the truth's checksum are empty."""

    case: str
    truth: Path
    prediction: Path
    role: str = ""
    truth_sha256: str = ""


def cases_of_folder(truths: Path, predictions: Path) -> list[JudgedCase]:
    """The cases of a folder of truths, `<case>.nii.gz`, in the order of their names."""
    cases = [path.name.removesuffix(SUFFIX) for path in visible(truths, SUFFIX)]
    if not cases:
        raise InputError(f"label maps <case>{SUFFIX} in {truths}", "none", "give the folder of the truths")
    return [JudgedCase(case, truths / f"{case}{SUFFIX}", predictions / f"{case}{SUFFIX}") for case in cases]


def cases_of_table(table: Path, roles: Iterable[str], predictions: Path, truth_column: str) -> list[JudgedCase]:
    """The case table's cases of the given roles that have a truth in `truth_column`, in the table's order."""
    cases = read_table(table, ("case", "role", truth_column))
    checksums = cases.get("labels_sha256", pd.Series("", cases.index)).fillna("")
    cases = cases.assign(truth=cases[truth_column], truth_sha256=checksums)
    judged = cases[cases["role"].isin(list(roles)) & cases.truth.notna()]
    if judged.empty:
        raise InputError(
            f"cases of role {' or '.join(roles)} with a truth in column {truth_column} of {table}",
            "none",
            "add label maps to these scans, or leave the roles out of the evaluation",
        )
    return [
        JudgedCase(row.case, Path(row.truth), predictions / f"{row.case}{SUFFIX}", row.role, row.truth_sha256)
        for row in judged.itertuples()
    ]


def score_table(
    cases: list[JudgedCase], mode: Mode, cores: int, checked: bool = True, organs: Sequence[Organ] = FLARE22
) -> pd.DataFrame:
    """One row per case and organ, cases in the given order, `role` after `case` where roles are known."""
    score = partial(_score, mode=mode, checked=checked, organs=organs)
    rows = [row for rows in in_order(score, cases, cores, "cases scored") for row in rows]
    table = pd.DataFrame(rows, columns=OrganScore._fields)
    table = table.astype({"truth_voxels": "Int64", "prediction_voxels": "Int64"})
    if any(case.role for case in cases):
        table.insert(1, "role", table["case"].map({case.case: case.role for case in cases}))
    return table


def _score(case: JudgedCase, mode: Mode, checked: bool, organs: Sequence[Organ]) -> list[OrganScore]:
    if case.truth_sha256:
        require_unchanged(case.truth, case.truth_sha256)
    return score_case(case.case, case.truth, case.prediction, mode, checked, organs)
