"""One case's rows of the score table."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from noisy_student.evaluate.by_name import Table, has_own_grid
from noisy_student.evaluate.evaluation_modes import Mode
from noisy_student.evaluate.judged_pair import FileNames, FileRemark, read_labels, read_pair
from noisy_student.evaluate.verdicts import NOT_LABELLED, judge
from noisy_student.geometry import voxel_volume_ml
from noisy_student.organs import FLARE22, Organ

MISSING = "missing prediction"


class OrganScore(NamedTuple):
    """One row. Voxels and volumes are of the whole organ, z-limited or not; empty for a missing prediction.

    Scores, and the truth's voxels and volume, are empty for an organ that is not labelled in the truth.
    """

    case: str
    label: int
    organ: str
    DSC: float | None
    NSD: float | None
    truth_voxels: int | None
    prediction_voxels: int | None
    truth_ml: float | None
    prediction_ml: float | None
    rule: str


class CaseScores(NamedTuple):
    """A row per organ, in the label table's order, what has to be said of the case's files, and names in use there."""

    rows: list[OrganScore]
    remarks: list[FileRemark]
    names: list[FileNames]


def score_case(
    case: str,
    truth: Path,
    prediction: Path,
    mode: Mode,
    checked: bool = True,
    organs: Sequence[Organ] = FLARE22,
    labelled: Collection[int] | None = None,
    is_numbered: bool = False,
) -> CaseScores:
    """Judge one case: the organs that are `labelled` in its truth (None: all).

    `is_numbered`: the truth's file has the label table's numbers, whatever names come with it.
    Raises InputError on files that cannot be compared.
    """
    labelled = {organ.label for organ in organs} if labelled is None else labelled
    if not prediction.exists():
        return _missing(case, truth, mode, checked, Table(organs, labelled, is_numbered))
    pair = read_pair(truth, prediction, len(organs), checked, Table(organs, labelled, is_numbered))
    verdicts, voxels = judge(pair, mode, organs, labelled)
    voxel_ml = voxel_volume_ml(pair.geometry.spacing_mm_xyz)
    rows = []
    for organ, verdict in zip(organs, verdicts, strict=True):
        truth_voxels = int(voxels[organ.label].sum()) if organ.label in labelled else None
        counts = truth_voxels, int(voxels[:, organ.label].sum())
        volumes = (_volume_ml(count, voxel_ml) for count in counts)
        scores = mode.rounded(verdict.dsc), mode.rounded(verdict.nsd)
        rows.append(OrganScore(case, organ.label, organ.name, *scores, *counts, *volumes, verdict.rule))
    return CaseScores(rows, pair.remarks, pair.names)


def _missing(case: str, truth: Path, mode: Mode, checked: bool, table: Table) -> CaseScores:
    """Rows without a prediction: 0 in the strict mode, empty in the others, where the official tools skip the case.

    A truth that is drawn on a scan has no voxels without one.
    """
    score = 0.0 if mode.missing_scores_zero else None
    labels, voxel_ml, remarks, names = None, 0.0, [], []
    if has_own_grid(truth):
        labels, geometry, remarks, names = read_labels(truth, len(table.organs), checked, table)
        voxel_ml = voxel_volume_ml(geometry.spacing_mm_xyz)
    rows = []
    for organ in table.organs:
        is_judged = organ.label in table.labelled
        voxels = int((labels == organ.label).sum()) if is_judged and labels is not None else None
        scores, rule = ((score, score), MISSING) if is_judged else ((None, None), NOT_LABELLED)
        volume_ml = _volume_ml(voxels, voxel_ml)
        rows.append(OrganScore(case, organ.label, organ.name, *scores, voxels, None, volume_ml, None, rule))
    return CaseScores(rows, remarks, names)


def _volume_ml(voxels: int | None, voxel_ml: float) -> float | None:
    return None if voxels is None else round(voxels * voxel_ml, 3)
