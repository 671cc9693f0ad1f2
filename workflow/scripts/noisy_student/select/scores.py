"""Scores per case and organ: checked, and reduced to one number per case.

A score is undefined (an empty cell) for an organ that the teacher did not find, and for all organs where there is
nothing to compare with: `DISAGREEMENTS` in the first round, `fold_agreement` of a single fold. Of a filled scan the
organs that are labelled by hand have no score at all, nor voxels.
"""

import numpy as np
import pandas as pd

from noisy_student.cohort.labelled_organs import labelled_by_case
from noisy_student.configuration.selection_rules import OVER_ALL
from noisy_student.errors import InputError
from noisy_student.organs import LARGEST_LABEL

# With the round before; of the first round there is none.
DISAGREEMENTS = ("disagreement", "organ_disagreement")
# The same as a volume, by which scans to correct are listed.
CHANGED = "changed_ml"
NO_SCORES = ("case", "label", "organ", "model", "scan", "role", CHANGED)
# Those that count what is wrong.
FLAWS = ("components", "stray_share", "touches_edge", "wrong_side", "masked")
LOWER_IS_BETTER = ("mean_entropy", *DISAGREEMENTS, *FLAWS)


def score_names(table: pd.DataFrame) -> list[str]:
    """The columns that are scores."""
    return [name for name in table if name not in NO_SCORES]


def without_hand_labelled(table: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    """The scores of labelled scans, those of organs that are labelled by hand there undefined.

    `table` has one row per case and organ, `cases` is the case table.
    """
    labelled = labelled_by_case(cases, range(1, LARGEST_LABEL + 1))
    by_hand = [label in labelled[case] for case, label in zip(table.case, table.label, strict=True)]
    return table.assign(**{name: table[name].mask(pd.Series(by_hand, table.index)) for name in score_names(table)})


def is_by_hand(table: pd.DataFrame) -> pd.Series:
    """Of each row whether the organ is labelled by hand there, so that the teacher's label of it is not learned."""
    return table.voxels.isna()


def check_scores(table: pd.DataFrame) -> None:
    """Stop on scores that are no finite numbers: a network that diverged labels nothing that can be trusted."""
    for name in score_names(table):
        values = pd.to_numeric(table[name], errors="coerce")
        wrong = table[name].notna() & ~np.isfinite(values)
        # A network that returns NaN leaves a case without any number, though other cases have some.
        defined = values.notna().groupby(table.case).any()
        found = (table.voxels > 0).groupby(table.case).any()
        cases = sorted({*table.case[wrong], *(defined.index[found & ~defined] if defined.any() else [])})
        if cases:
            raise InputError(
                f"finite numbers in the score {name} of each case",
                f"none in {', '.join(cases[:5])}" + (f" and {len(cases) - 5} more" if len(cases) > 5 else ""),
                "look at the training that made this teacher (its progress.tsv): it may have diverged",
            )


def reduced(table: pd.DataFrame, score: str, over: str) -> pd.Series:
    """The score of each case: mean, minimum or maximum over the organs that have one, or that of a named organ.

    Cases without any are NaN. Raises InputError for a score that was never computed, or an
    organ that the table does not have.
    """
    rows = with_score(table, score)
    if over in OVER_ALL:
        by_case = rows.groupby("case")[score]
        values = {"mean": by_case.mean, "minimum": by_case.min, "maximum": by_case.max}[over]()
    else:
        values = _of_organ(table, rows, over).set_index("case")[score]
    return values.reindex(pd.Index(sorted(table.case.unique()), name="case"))


def judged_singly(table: pd.DataFrame, score: str, over: str) -> pd.DataFrame:
    """The rows on which a score is defined, of all organs (`mean`) or of one. Raises as `reduced`."""
    rows = with_score(table, score)
    return rows if over == "mean" else _of_organ(table, rows, over)


def _of_organ(table: pd.DataFrame, rows: pd.DataFrame, organ: str) -> pd.DataFrame:
    if organ not in set(table.organ):
        organs = ", ".join(table.organ.unique())
        raise InputError(f"`over`: {', '.join(OVER_ALL)}, or one of {organs}", organ, "correct `selection`")
    return rows[rows.organ == organ]


def with_score(table: pd.DataFrame, score: str) -> pd.DataFrame:
    """The rows on which a score is defined."""
    rows = table.dropna(subset=score)
    if rows.empty and (table.voxels > 0).any() and score not in DISAGREEMENTS:
        raise InputError(
            f"the score {score}, which `selection` uses",
            "it was not computed for any scan",
            "agreement between folds needs several `folds`, agreement under mirroring "
            "`prediction.mirroring` and a network that was trained with `mirror_axes`",
        )
    return rows
