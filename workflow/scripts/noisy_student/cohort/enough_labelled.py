"""Are there enough labelled scans to train with? Else that would be found once all are converted and preprocessed."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from noisy_student.cohort.finding import Finding
from noisy_student.cohort.labelled_organs import LABELS, labels_in
from noisy_student.deal import held_out
from noisy_student.lists import first_of
from noisy_student.organs import Organ

# `training.splits` is no less.
FEWEST = 2
SHOWN = 3


def too_few_labelled(cases: pd.DataFrame, splits: int, table: Path) -> list[Finding]:
    """An error where the `cases` of a case table, the file `table`, have no labelled scan for each of the splits."""
    labelled = int((cases.role == "labelled").sum())
    if labelled >= splits:
        return []
    lower = f", or lower `training.splits` to {labelled}, and `training.folds` with it" if labelled >= FEWEST else ""
    found, wanted = f"{labelled} labelled scan(s)", f"{splits} or more, one for each of `training.splits`"
    return [Finding("all", table, "error", found, wanted, f"add some{lower}")]


def never_learned(
    cases: pd.DataFrame, organs: Sequence[Organ], folds: Sequence[int], splits: int, seed: int, table: Path
) -> list[Finding]:
    """Warnings about organs that some of the `cases` of a case table have, and none that a trained fold learns from.

    `folds` of so many `splits` are trained, and every one holds the scans with the organ out: there is only one, then.
    """
    labelled = cases[cases.role == "labelled"]
    labels = dict(zip(labelled.case, labelled[LABELS].map(labels_in), strict=True))
    dealt = held_out(list(labels), splits, seed)
    unseen = set(labels).intersection(*(dealt[fold] for fold in folds))
    learned = frozenset[int]().union(*(own for case, own in labels.items() if case not in unseen))
    which = f"fold {folds[0]} holds" if len(folds) == 1 else f"folds {', '.join(map(str, folds))} hold"
    found = []
    for organ in organs:
        having = sorted(case for case in unseen if organ.label in labels[case])
        if having and organ.label not in learned:
            what = f"{organ.name} only in {len(having)} labelled scan(s), which {which} out: never learned"
            wanted = f"a labelled scan with {organ.name} (label {organ.label}) that a trained fold learns from"
            remedy = "train more folds (`training.folds`), or take larger `training.splits` or another `seed`"
            found.append(Finding("all", table, "warning", f"{what} ({first_of(having, SHOWN)})", wanted, remedy))
    return found
