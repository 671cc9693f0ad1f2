"""Scans that are in the cohort twice: whole, in part, or changed.

A test scan whose slices a network learned from makes the test worthless, and so does a held-out labelled one. Of scans
with equal voxels no fold that holds one out learns from another; other copies within a role only waste time.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.traces import TRACES, Traces

ONCE = "each scan once"
# The product of two fingerprints. Those of different scans of the embedded cohort, more alike than any patients, stay
# below 0.93; a scan windowed, clipped or resampled keeps 0.97, unless the window is too narrow for all soft tissue.
ALIKE = 0.95
COMPARED_AT_A_TIME = 512
LABELLED_COPY = "; left in, no fold that holds one of them out learns from the other"
LABELLED_PART = "; left in, a fold may hold one of them out and learn from the other: its scores are too good"
Pair = tuple[int, int]


def copies(rows: Sequence[dict[str, Any]]) -> list[Finding]:
    """Findings about rows of the case table, each with the traces of its scan, that are one scan."""
    traces: list[Traces] = [row[TRACES] for row in rows]
    same = same_voxels([trace.voxels_sha256 for trace in traces])
    shared = {
        pair: count
        for pair, count in shared_slices([trace.slices for trace in traces]).items()
        if traces[pair[0]].voxels_sha256 != traces[pair[1]].voxels_sha256
    }
    alike = most_alike([trace.fingerprint for trace in traces], {*same, *shared})
    findings = [_finding(rows, pair, "the voxels of {} too") for pair in same]
    for pair, count in shared.items():
        findings.append(_finding(rows, pair, f"{count} of its {rows[pair[1]]['size_z']} slices are those of {{}}"))
    return findings + [_looks_like(rows, pair, alikeness) for pair, alikeness in alike.items()]


def same_voxels(checksums: Sequence[str]) -> list[Pair]:
    """Each scan that has the voxels of an earlier one, with the first such."""
    first: dict[str, int] = {}
    pairs = [(first.setdefault(checksum, place), place) for place, checksum in enumerate(checksums)]
    return [pair for pair in pairs if pair[0] != pair[1]]


def shared_slices(slices: Sequence[np.ndarray]) -> dict[Pair, int]:
    """How many slices a scan shares with the first scan that has them, from the different slices of each scan."""
    owners = np.repeat(np.arange(len(slices)), [len(own) for own in slices])
    digests = np.concatenate([np.array([], np.uint64), *slices])
    order = np.argsort(digests, kind="stable")
    digests, owners = digests[order], owners[order]
    starts = np.append(True, digests[1:] != digests[:-1])[: len(digests)]
    firsts = owners[starts][np.cumsum(starts) - 1]
    again = firsts != owners
    pairs, counts = np.unique(np.stack([firsts[again], owners[again]], axis=1), axis=0, return_counts=True)
    return {(first, other): count for (first, other), count in zip(pairs.tolist(), counts.tolist(), strict=True)}


def most_alike(fingerprints: Sequence[np.ndarray], known: Collection[Pair]) -> dict[Pair, float]:
    """Each scan whose fingerprint is that of an earlier one, with the most alike; scans that known pairs join apart."""
    stacked = np.array(fingerprints, np.float32)
    groups = _joined(len(stacked), known)
    found = {}
    for start in range(0, len(stacked), COMPARED_AT_A_TIME):
        stop = min(start + COMPARED_AT_A_TIME, len(stacked))
        products = np.tril(stacked[start:stop] @ stacked[:stop].T, start - 1)
        products[groups[start:stop, None] == groups[:stop]] = 0
        best = zip(products.argmax(axis=1).tolist(), products.max(axis=1).tolist(), strict=True)
        found |= {(first, other): alike for other, (first, alike) in enumerate(best, start) if alike >= ALIKE}
    return found


def _joined(count: int, pairs: Collection[Pair]) -> np.ndarray:
    """The number of each scan's group: scans of one pair are in one, and so on."""
    rows, columns = np.array([*pairs], int).reshape(-1, 2).T
    joined = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(count, count))
    return connected_components(joined, directed=False)[1]


def _finding(rows: Sequence[dict[str, Any]], pair: Pair, found: str) -> Finding:
    twin, row = (rows[place] for place in pair)
    severity = "error" if twin["role"] != row["role"] else "warning"
    remedy = f"take one of them out ({row['case']} is {row['role']})"
    if twin["role"] == row["role"] == "labelled":
        remedy += LABELLED_COPY if twin[TRACES].voxels_sha256 == row[TRACES].voxels_sha256 else LABELLED_PART
    said = found.format(f"{twin['case']} ({twin['role']})")
    return Finding(row["case"], Path(row["image"]), severity, said, ONCE, remedy)


def _looks_like(rows: Sequence[dict[str, Any]], pair: Pair, alikeness: float) -> Finding:
    twin, row = (rows[place] for place in pair)
    found = (
        f"looks like {twin['case']} ({twin['role']}) windowed, rescaled or resampled, or another contrast phase of the "
        f"same patient: fingerprints correlate at {alikeness:.3f}, those of different patients below {ALIKE}"
    )
    remedy = (
        f"look at both, and take one out if they are one scan, or one patient in two roles "
        f"({row['case']} is {row['role']})"
    )
    return Finding(row["case"], Path(row["image"]), "warning", found, ONCE, remedy)
