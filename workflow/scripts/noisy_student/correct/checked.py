"""Corrected label maps checked as hand labels are, written as those are, and one chosen for each scan."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from noisy_student.cohort.case_checks import Standard, check_label_map
from noisy_student.cohort.finding import SEVERITIES, Finding
from noisy_student.cohort.labelled_organs import ORGANS, as_text
from noisy_student.cohort.names_taken import names_taken
from noisy_student.cohort.numbers_by_name import NAMES
from noisy_student.cohort.scans import Scan, names_of
from noisy_student.configuration.corrections import Corrections
from noisy_student.correct.changes import read_labels
from noisy_student.correct.found import LOOKED_THROUGH, OF_READER, REMEDY, Correction, corrections_in, name_of
from noisy_student.correct.notes import read_organs
from noisy_student.correct.plausible import doubts
from noisy_student.correct.table import CHECKED
from noisy_student.files import sha256
from noisy_student.images import write_image
from noisy_student.parallel import in_order
from noisy_student.reading.door import checksum, read_scan, require_unchanged

# Why the label map of a scan of another role is no correction, and what to do instead.
OTHERS = {
    "labelled": "its own label map counts as labelled by hand: correct that one, where `cohort` has it",
    "validation": "nothing is ever learned from it: take the correction away; a wrong truth is corrected where it lies",
    "test": "nothing is ever learned from it: take the correction away; a wrong truth is corrected where it lies",
}

# What remedies for label maps of the cohort name, and corrections have none of.
OF_COHORTS = ("`labels`", "`aliases`", "cohort")
AGAIN = (
    "give back the label map that was handed out, corrected: one whole file with all organs, by its numbers or names"
)


def check_corrections(
    folder: Path,
    number: int,
    cases: pd.DataFrame,
    given: Corrections,
    standard: Standard,
    handed_out: Path,
    target: Path,
    cores: int,
) -> tuple[pd.DataFrame, list[Finding]]:
    """The corrections of a round's pseudo-labels that lie in `folder`, and every finding, errors first.

    A row for each: which of them `is_used`, and its label map in `target`, in canonical orientation with the label
    table's numbers. `cases` is the case table, `handed_out` the folder of the pseudo-labels. Those that lie there now
    are compared with their corrections; none has to.
    """
    roles = dict(zip(cases.case, cases.role, strict=True))
    found = corrections_in(folder, roles)
    findings = [*_strangers(found, roles), *_twice(found)]
    used, unclear = _chosen(found, given.readers)
    findings += unclear
    rows = cases.set_index("case")
    organs = read_organs(folder / LOOKED_THROUGH, standard.organs)
    work = partial(
        _check, cases=rows, given=given, organs=organs, standard=standard, handed_out=handed_out, target=target
    )
    sound = [correction for correction in found if roles.get(correction.case) == "unlabelled"]
    checked = list(in_order(work, sound, cores, "checking corrections"))
    findings += [finding for _, own in checked for finding in own]
    whole = [row | {"source": folder.name} for row, _ in checked if row]
    findings += names_taken(whole, standard.organs)
    table = pd.DataFrame(
        [
            row
            | {"round": number, "is_used": "yes" if row["correction"] in used else "no", ORGANS: as_text(row[ORGANS])}
            for row in whole
        ],
        columns=list(CHECKED),
    )
    return table, sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def _check(
    correction: Correction,
    cases: pd.DataFrame,
    given: Corrections,
    organs: Mapping[str, tuple[str, ...]],
    standard: Standard,
    handed_out: Path,
    target: Path,
) -> tuple[dict[str, Any], list[Finding]]:
    name = name_of(correction.case, correction.reader)
    row = cases.loc[correction.case]
    require_unchanged(Path(row.image), row.sha256)
    corrected = organs.get(name, names_of(given.organs))
    scan = Scan(correction.case, row.role, Path(row.image), correction.path, organs=corrected, is_correction=True)
    checked, found = check_label_map(scan, correction.path, read_scan(scan.image), standard)
    findings = [_of_corrections(finding) for finding in found]
    if checked is None:
        return {}, findings
    before = handed_out / f"{correction.case}.nii.gz"
    before_zyx = read_labels(before)[0] if before.exists() else None
    if errors := list(doubts(checked, checked.measured[ORGANS], before_zyx, standard.organs)):
        said = [
            Finding(scan.case, correction.path, "error", error.found, error.wanted, error.remedy) for error in errors
        ]
        return {}, [*findings, *said]
    label_map = target / f"{name}.nii.gz"
    write_image(checked.image, label_map)
    return {
        "correction": correction,
        "case": correction.case,
        "reader": correction.reader,
        "file": str(correction.path),
        "sha256": checksum(correction.path),
        "label_map": str(label_map),
        "labels_sha256": sha256(label_map),
        **{name: checked.measured[name] for name in (ORGANS, NAMES) if name in checked.measured},
    }, findings


def _of_corrections(finding: Finding) -> Finding:
    """The finding, an error with a remedy that corrections have."""
    is_of_cohorts = finding.severity == "error" and any(word in finding.remedy for word in OF_COHORTS)
    return replace(finding, remedy=AGAIN) if is_of_cohorts else finding


def _strangers(found: Sequence[Correction], roles: dict[str, str]) -> Iterator[Finding]:
    """Errors: label maps of no scan, or of one that is not unlabelled."""
    for correction in found:
        role = roles.get(correction.case)
        if role is None:
            said = f"{correction.case} is no case of the case table"
            yield Finding(correction.case, correction.path, "error", said, "a corrected pseudo-label", REMEDY)
        elif role in OTHERS:
            said = f"{correction.case} is a {role} scan"
            yield Finding(correction.case, correction.path, "error", said, "a corrected pseudo-label", OTHERS[role])


def _twice(found: Sequence[Correction]) -> Iterator[Finding]:
    for (case, reader), own in groupby(found, key=lambda correction: (correction.case, correction.reader)):
        first, *others = own
        for other in others:
            said = f"{first.path.name} beside it is of the same scan{f' and reader {reader}' if reader else ''}"
            remedy = f"take one away, or name each after its reader: {case}{OF_READER}<reader>"
            yield Finding(case, other.path, "error", said, "one correction of a scan", remedy)


def _chosen(found: Sequence[Correction], readers: Sequence[str]) -> tuple[list[Correction], list[Finding]]:
    """The correction of each scan that is used: the only one, or that of the first of the `readers` who has one."""
    used, findings = [], []
    for case, own in groupby(found, key=lambda correction: correction.case):
        by_reader = {correction.reader: correction for correction in own}
        first = next(filter(by_reader.__contains__, readers), None)
        if first is not None or len(by_reader) == 1:
            used.append(by_reader[first] if first is not None else next(iter(by_reader.values())))
            continue
        said = f"corrections by {' and '.join(reader or 'nobody named' for reader in by_reader)}"
        remedy = "say whose goes first, corrections: {readers: [NAME, …]}, or take all but one away"
        findings.append(Finding(case, next(iter(by_reader.values())).path, "error", said, "one that counts", remedy))
    return used, findings
