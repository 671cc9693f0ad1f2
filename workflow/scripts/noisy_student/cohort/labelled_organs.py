"""Which organs the label maps have: what a source did not label is taught as background."""

from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.roles import JUDGED, LABELLED_ROLES
from noisy_student.lists import first_of
from noisy_student.organs import Organ

# Columns of the case table: labels that a label map has, and those of the organs that are labelled in it at all.
LABELS, ORGANS = "labels", "organs"
# Of tables of cases, converted scans and training sets, where any scan has voxels that nobody labelled: which share of
# its voxels is labelled; empty where all are.
LABELLED_SHARE = "labelled_share"
# A scan with fewer of its source's organs than this share was hardly labelled in full.
FULL = 0.5
SHOWN = 3
SAY_JUDGED = (
    "say which organs are labelled, with `organs` beside `label_maps` or in a table of scans; else one that is absent "
    "counts as rightly not found (DSC 1) or wrongly found (0)"
)
# Case → labels of its label map.
Cases = dict[str, frozenset[int]]


def as_text(labels: Sequence[int]) -> str:
    """The labels of a label map, without background, as a cell of the case table."""
    return " ".join(str(label) for label in labels if label)


def labels_in(cell: Any) -> frozenset[int]:
    """The labels in a cell of the case table; none in an empty one. A column of single labels is read as numbers."""
    if isinstance(cell, str):
        return frozenset(map(int, cell.split()))
    return frozenset() if pd.isna(cell) else frozenset({int(cell)})


def labelled_by_case(cases: pd.DataFrame, labels: Collection[int]) -> dict[str, frozenset[int]]:
    """Of these labels those that are labelled in each scan of a case table: all where it does not say which."""
    everything = frozenset(labels)
    cells = cases.get(ORGANS, pd.Series("", cases.index)).map(labels_in)
    return {case: own & everything or everything for case, own in zip(cases["case"], cells, strict=True)}


def sparse_in(table: pd.DataFrame) -> list[str]:
    """The cases of such a table of which only some voxels are labelled."""
    return table.loc[table[LABELLED_SHARE].notna(), "case"].tolist() if LABELLED_SHARE in table else []


def labelled_in(organs: Sequence[Organ], names: Collection[str] | None) -> list[int]:
    """The labels of the organs that are labelled in a scan: those with these names, all for None."""
    return [organ.label for organ in organs if names is None or organ.name in names]


def add_fewer_than(parser: ArgumentParser) -> None:
    """The flag that commands which go over `to_label` scans have besides their roles."""
    parser.add_argument(
        "--fewer-than", type=int, default=0, metavar="ORGANS",
        help="also labelled scans in which fewer organs are labelled than the label table has",
    )  # fmt: skip


def to_label(cases: pd.DataFrame, roles: Collection[str], organs: int = 0) -> pd.DataFrame:
    """Rows of the case table: these roles, and labelled scans in which fewer than so many organs are labelled."""
    wanted = cases["role"].isin(list(roles))
    labelled = labelled_by_case(cases, range(1, organs + 1))
    return cases[wanted | (cases["role"] == "labelled") & cases["case"].map(labelled).map(len).lt(organs)]


def in_words(cases: pd.DataFrame, organs: Sequence[Organ]) -> list[str]:
    """A line for each organ: in how many scans of each role of the case table it is labelled, and in how many present.

    An organ that is labelled in a scan may be absent there: cut off, taken out, or not labelled after all. A line more
    where in labelled scans there are voxels that nobody labelled.
    """
    by_role = dict(tuple(cases[cases.label_map.notna()].groupby("role", sort=False)))
    labelled = by_role.pop("labelled", cases[:0])
    lines = [
        f"{organ.name}: labelled in {_share(organ, labelled, organs, ' scans')}"
        + "".join(f", {role} {_share(organ, of_role, organs)}" for role, of_role in by_role.items())
        for organ in organs
        if len(labelled) or by_role
    ]
    shares = labelled.get(LABELLED_SHARE, pd.Series(dtype=float)).dropna()
    if len(shares):
        how_much = " to ".join(dict.fromkeys(f"{share:.1%}" for share in (shares.min(), shares.max())))
        lines.append(f"voxels: labelled in part in {len(shares)} of {len(labelled)} scans, {how_much} of them")
    return lines


def _share(organ: Organ, cases: pd.DataFrame, organs: Sequence[Organ], what: str = "") -> str:
    sets = labelled_by_case(cases, [other.label for other in organs]).values()
    labelled = sum(organ.label in labels for labels in sets)
    present = sum(organ.label in labels for labels in cases[LABELS].map(labels_in))
    return f"{labelled} of {len(cases)}{what}" + (f" (present in {present})" if present != labelled else "")


def partly_labelled(rows: list[dict[str, Any]], organs: Sequence[Organ]) -> list[Finding]:
    """Warnings about sources, and about scans of a source, that lack organs which other labelled scans have.

    Validation and test scans are held against the labelled ones, too. Scans in which only some organs, or some voxels,
    are labelled are not asked.
    """
    by_source: dict[tuple[str, str], Cases] = defaultdict(dict)
    for row in rows:
        is_whole = len(row.get(ORGANS, organs)) == len(organs) and LABELLED_SHARE not in row
        if row["role"] in LABELLED_ROLES and is_whole and any(row.get(LABELS, [])):
            by_source[row["role"], row["source"] or "not given"][row["case"]] = frozenset(row[LABELS]) - {0}
    findings = []
    for (role, source), cases in by_source.items():
        others = [_all_of(theirs) for (other, _), theirs in by_source.items() if other in ("labelled", role)]
        findings.append(_lacking(role, source, cases, frozenset[int]().union(*others), organs))
    findings += [_incomplete(role, source, cases) for (role, source), cases in by_source.items()]
    return [finding for finding in findings if finding]


def with_few(cases: Cases) -> tuple[int, str]:
    """How many scans have less than half of the organs that all have together, and the first of them in words."""
    organs = len(_all_of(cases))
    few = [f"{case} ({len(labels)} of {organs})" for case, labels in cases.items() if len(labels) < FULL * organs]
    return len(few), first_of(few, SHOWN)


def _all_of(cases: Cases) -> frozenset[int]:
    return frozenset[int]().union(*cases.values())


def _lacking(
    role: str, source: str, cases: Cases, everything: frozenset[int], organs: Sequence[Organ]
) -> Finding | None:
    missing = everything - _all_of(cases)
    if not missing:
        return None
    names = ", ".join(organ.name for organ in organs if organ.label in missing)
    found = f"source {source}: {names} in none of {len(cases)} {role} scans, but in those of other sources"
    remedy = "say with `organs` which are labelled there, or label it: what is not labelled is learned as background"
    remedy = SAY_JUDGED if role in JUDGED else remedy
    return Finding("all", "", "warning", found, "the same organs labelled in all sources", remedy)


def _incomplete(role: str, source: str, cases: Cases) -> Finding | None:
    few, listed = with_few(cases)
    if not few:
        return None
    found = f"source {source}: {few} of {len(cases)} {role} scans have less than half of its organs: {listed}"
    remedy = "label them in full or leave them out, unless organs lie outside the scan: background is learned instead"
    remedy = SAY_JUDGED if role in JUDGED else remedy
    return Finding("all", "", "warning", found, "every organ labelled that the scan shows", remedy)
