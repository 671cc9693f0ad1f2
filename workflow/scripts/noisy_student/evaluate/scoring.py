"""Which cases are judged, and the table of all their scores."""

import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from noisy_student.cohort.labelled_organs import labelled_by_case, with_few
from noisy_student.errors import InputError
from noisy_student.evaluate import names_in_use
from noisy_student.evaluate.by_name import PREDICTION, TRUTH
from noisy_student.evaluate.case_scores import CaseScores, OrganScore, score_case
from noisy_student.evaluate.evaluation_modes import Mode
from noisy_student.evaluate.pairing import NOMINAL, LabelMaps
from noisy_student.evaluate.remarks import NAMED, in_words
from noisy_student.lists import first_of
from noisy_student.organs import FLARE22, Organ
from noisy_student.parallel import in_order
from noisy_student.reading.door import require_unchanged
from noisy_student.reading.names import EXTENSIONS
from noisy_student.sets import of_cases
from noisy_student.tables import read_table


@dataclass(frozen=True)
class JudgedCase:
    """A case to score. Outside the workflow `role` and the truth's checksum are empty.

    `set` is what its source is called, where some role's scans come from several. `labelled`: the labels of the
    organs that are labelled in the truth.
    """

    case: str
    truth: Path
    prediction: Path
    labelled: frozenset[int]
    role: str = ""
    truth_sha256: str = ""
    set: str = ""


def labels_of(names: Collection[str], organs: Sequence[Organ]) -> frozenset[int]:
    """The labels of organs by their names. Raises InputError for a name that none has."""
    labels = {organ.name: organ.label for organ in organs}
    if unknown := [name for name in names if name not in labels]:
        remedy = "write them as there, in quotation marks where a name is of several words"
        raise InputError(f"organs of the label table: {', '.join(labels)}", ", ".join(unknown), remedy)
    return frozenset(labels[name] for name in names)


def cases_of_folder(
    truths: Path, predictions: Path, labelled: frozenset[int] = frozenset(), organs: Sequence[Organ] = FLARE22
) -> list[JudgedCase]:
    """The cases of a folder of truths, `<case>` with any known extension or a folder, in the order of their names.

    `labelled`: the only organs that are labelled there; all, if none is given.
    """
    judged, predicted = LabelMaps(truths, organs), LabelMaps(predictions, organs)
    if not judged.files:
        wanted = f"label maps <case>{NOMINAL} (or {', '.join(EXTENSIONS[1:])}) in {truths}"
        raise InputError(wanted, "none", "give the folder of the truths")
    labelled = labelled or frozenset(organ.label for organ in organs)
    return [JudgedCase(case, judged.of(case), predicted.of(case), labelled) for case in judged.cases]


def cases_of_table(
    table: Path, roles: Iterable[str], predictions: Path, truth_column: str, organs: Sequence[Organ] = FLARE22
) -> list[JudgedCase]:
    """The case table's cases of the given roles that have a truth in `truth_column`, in the table's order.

    Its column `organs`, if it has one, says which organs are labelled in the truth.
    """
    cases = read_table(table, ("case", "role", truth_column))
    checksums = cases.get("labels_sha256", pd.Series("", cases.index)).fillna("")
    labelled = labelled_by_case(cases, [organ.label for organ in organs])
    cases = cases.assign(truth=cases[truth_column], truth_sha256=checksums, labelled=cases.case.map(labelled))
    judged = cases[cases["role"].isin(list(roles)) & cases.truth.notna()]
    judged = judged.assign(set=of_cases(judged))
    if judged.empty:
        raise InputError(
            f"cases of role {' or '.join(roles)} with a truth in column {truth_column} of {table}",
            "none",
            "add label maps to these scans, or leave the roles out of the evaluation",
        )
    predicted, names = LabelMaps(predictions, organs), set(cases.case)
    return [
        JudgedCase(
            row.case, Path(row.truth), predicted.of(row.case, names), row.labelled, row.role, row.truth_sha256, row.set
        )
        for row in judged.itertuples()
    ]


def unpaired(
    cases: Sequence[JudgedCase], predictions: Path, organs: Sequence[Organ] = FLARE22
) -> tuple[list[str], list[str]]:
    """Cases without a prediction, and the names of predictions without a case.

    Raises InputError where not one prediction belongs to a case: the folder is another one, or names differ.
    """
    missing = [case for case in cases if not case.prediction.exists()]
    known = {case.prediction.name for case in cases}
    files = LabelMaps(predictions, organs).files
    if len(missing) == len(cases):
        got = f"cases {_some([case.truth for case in cases])}; predictions {_some(files) or 'none'}"
        remedy = "name the folder of these cases' predictions; each has its case's name, as <case>.nii.gz for example"
        raise InputError(f"a prediction of one of the {len(cases)} cases in {predictions}", got, remedy)
    return [case.case for case in missing], [path.name for path in files if path.name not in known]


def _some(files: Sequence[Path]) -> str:
    return first_of([path.name for path in files], NAMED)


def score_table(
    cases: list[JudgedCase], mode: Mode, cores: int, checked: bool = True, organs: Sequence[Organ] = FLARE22
) -> pd.DataFrame:
    """One row per case and organ, cases in the given order, `role` and `set` after `case` where they are known.

    What has to be said of their files, and of the names in them, is said on stderr. Raises InputError for an organ that
    is judged and that no truth names, where all truths have names.
    """
    score = partial(_score, mode=mode, checked=checked, organs=organs)
    scored = list(in_order(score, cases, cores, "cases scored"))
    for line in in_words(remark for case in scored for remark in case.remarks):
        print(line, file=sys.stderr)
    _say_names(cases, scored, organs)
    _say_few(cases, [row for case in scored for row in case.rows], organs)
    table = pd.DataFrame([row for case in scored for row in case.rows], columns=OrganScore._fields)
    table = table.astype({"truth_voxels": "Int64", "prediction_voxels": "Int64"})
    for name in ("set", "role"):
        known = {case.case: getattr(case, name) for case in cases}
        if any(known.values()):
            table.insert(1, name, table["case"].map(known))
    return table


def _say_names(cases: Sequence[JudgedCase], scored: Sequence[CaseScores], organs: Sequence[Organ]) -> None:
    files = [file for case in scored for file in case.names]
    labelled = frozenset[int]().union(*(case.labelled for case in cases))
    judged = [organ for organ in organs if organ.label in labelled]
    names = [organ.name for organ in judged]
    nameless = sum(
        not case.truth_sha256 and {file.role for file in one.names} == {PREDICTION}
        for case, one in zip(cases, scored, strict=True)
    )
    said = *names_in_use.in_words(files, names), *names_in_use.other_names(files, judged)
    for line in (*said, *names_in_use.nameless(nameless, judged)):
        print(line, file=sys.stderr)
    truths = [file for file in files if file.role == TRUTH]
    if len(truths) == len(cases):
        names_in_use.require_named(truths, names)


def _say_few(cases: Sequence[JudgedCase], rows: Sequence[OrganScore], organs: Sequence[Organ]) -> None:
    """Of truths in which all organs count as labelled, name those that have few of them."""
    whole = {case.case for case in cases if len(case.labelled) == len(organs)}
    present = {row.case: frozenset[int]() for row in rows if row.case in whole}
    for row in rows:
        if row.case in whole and row.truth_voxels:
            present[row.case] |= {row.label}
    few, listed = with_few(present)
    if few:
        print(
            f"warning, {few} of {len(present)} truth(s) have less than half of the organs that all have: {listed}; "
            "where they are not labelled, say which are: --labelled, or the case table's column `organs`; else an "
            "absent organ counts as rightly not found (DSC 1) or wrongly found (0)",
            file=sys.stderr,
        )


def _score(case: JudgedCase, mode: Mode, checked: bool, organs: Sequence[Organ]) -> CaseScores:
    if case.truth_sha256:
        require_unchanged(case.truth, case.truth_sha256)
    is_numbered = bool(case.truth_sha256)
    return score_case(case.case, case.truth, case.prediction, mode, checked, organs, case.labelled, is_numbered)
