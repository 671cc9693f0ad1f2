"""Scans without their label map, and label maps and truths without their scan."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.likely_layout import of_pairs
from noisy_student.cohort.one_folder import is_one_folder
from noisy_student.cohort.pairing import key, label_maps_in, likely_pairs, named_after, table_line
from noisy_student.cohort.passed_over import SHOWN, some_names
from noisy_student.cohort.scans import Scan, Search
from noisy_student.configuration.experiment import LabelledFolder, ScanFolder
from noisy_student.files import visible
from noisy_student.lists import first_of
from noisy_student.reading.by_content import data_files
from noisy_student.reading.names import FIRST_CHANNEL


def missing_label_maps(scans: list[Scan]) -> list[Finding]:
    """Label maps and truths that are not there, with the one that seems to be it under another name."""
    lacking = defaultdict(list)
    for scan in scans:
        wanted = scan.label_map or scan.truth
        if wanted and not wanted.exists():
            lacking[wanted.parent].append((scan, wanted))
    findings = []
    for folder, cases in lacking.items():
        free = _free(folder, scans)
        pairs = likely_pairs([scan.case for scan, _ in cases], free)
        entry = _entry([scan for scan in scans if folder in _places(scan)], pairs)
        findings += [_missing(scan, wanted, pairs.get(scan.case), free, entry) for scan, wanted in cases]
    return findings


def strays(search: Search) -> list[Finding]:
    """Notes about label maps and truths that belong to no scan, warnings about those beside the one that is taken."""
    scans_of = defaultdict(list)
    for entry, scans in search.entries:
        if isinstance(entry, LabelledFolder) and not is_one_folder(entry):
            scans_of["label map(s)", entry.label_maps] += scans
        elif isinstance(entry, ScanFolder) and entry.truth:
            scans_of["truth(s)", entry.truth] += scans
    findings = []
    for (what, folder), scans in scans_of.items():
        free = _free(folder, search.scans)
        twins = _twins(folder, search.scans, free)
        alone = [path for path in free if path not in twins]
        findings += [_beside(what, folder, twins)] if twins else []
        findings += [_strays(what, folder, alone, scans)] if alone else []
    return findings


def _twins(folder: Path, scans: Iterable[Scan], free: Iterable[Path]) -> dict[Path, Path]:
    """Those that no scan has though they are named as one that a scan has, and that one.

    A file with the voxels of the other one's header is a part of it.
    """
    used = {path for scan in scans for path in _of_labels(scan) if path.is_relative_to(folder)}
    entries = {folder / path.relative_to(folder).parts[0] for path in used if path != folder}
    taken = {_name(path): path for path in sorted(entries)}
    twins = {path: taken[_name(path)] for path in free if _name(path) in taken}
    return {path: other for path, other in twins.items() if path not in data_files(other)}


def _of_labels(scan: Scan) -> list[Path]:
    return [path for path in (scan.label_map, scan.truth, *(mask for mask, _ in scan.masks)) if path]


def _name(label_map: Path) -> str:
    return named_after(label_map).removesuffix(FIRST_CHANNEL)


def _free(folder: Path, scans: Iterable[Scan]) -> list[Path]:
    """The label maps of a folder that no scan has, by name; no folder in which scans or their label maps lie."""
    named = {path for scan in scans for path in (scan.image, *_of_labels(scan))}
    taken = {place for path in named for place in (path, *path.parents)}
    return sorted(label_maps_in(folder, apart_from=taken))


def _places(scan: Scan) -> set[Path]:
    """The folders of its label map and truth."""
    return {path.parent for path in (scan.label_map, scan.truth) if path}


def _entry(scans: list[Scan], pairs: Mapping[str, Path]) -> str:
    """The entry of the configuration that pairs all scans of a folder of label maps, if one does and all need it."""
    if {scan.case for scan in scans} != pairs.keys() or any(scan.table for scan in scans):
        return ""
    layout = of_pairs({scan.image: pairs[scan.case] for scan in scans})
    return str(layout) if layout else ""


def _missing(scan: Scan, wanted: Path, likely: Path | None, free: list[Path], entry: str) -> Finding:
    column = "label_map" if scan.label_map else "truth"
    if likely and entry:
        remedy = f"{likely.name} seems to be it: name it so, or write {entry} in place of the folders' entry"
    elif likely:
        line = table_line(scan.case, scan.image, likely, column)
        remedy = (
            f"{likely.name} seems to be it: name it so, or list all scans of the folder in a table in place of the "
            f"folder (config/README.md), this one as\n{line}"
        )
    elif not wanted.parent.is_dir():
        remedy = f"there is no folder {wanted.parent}: correct it"
    else:
        free = sorted(free, key=lambda path: key(named_after(path)) != key(scan.case))
        there = some_names(free or visible(wanted.parent)) or "nothing"
        remedy = f"put it there, or list it in a table (config/README.md); in {wanted.parent}: {there}"
    return Finding(scan.case, wanted, "error", "no such file", "a label map of this name", remedy)


def _strays(what: str, folder: Path, free: list[Path], scans: list[Scan]) -> Finding:
    without = {scan.case: scan.image for scan in scans if not (scan.label_map or scan.truth)}
    pairs = likely_pairs(without, free)
    remedy = "correct the name of the one or the other; else leave them"
    if pairs:
        line = table_line(case := min(pairs), without[case], pairs[case], "truth")
        remedy = f"{len(pairs)} would pair in a table of scans (config/README.md), the first as\n{line}"
    found = f"{len(free)} {what} belong to no scan: {some_names(free)}"
    return Finding("all", folder, "note", found, "each named as its scan", remedy)


def _beside(what: str, folder: Path, twins: dict[Path, Path]) -> Finding:
    listed = first_of([f"{path.name} ({other.name} is taken)" for path, other in twins.items()], SHOWN)
    found = f"{len(twins)} {what} passed over beside another of the same name: {listed}"
    remedy = "move the one that is not meant elsewhere, as one from before a correction"
    return Finding("all", folder, "warning", found, "one of each scan", remedy)
