"""How good the list was, where the truth of unlabelled scans is known. The list itself never sees it."""

import pandas as pd

FIRST = 8


def wrong_ml(truth: pd.DataFrame) -> pd.Series:
    """The wrong volume of each case, organ by organ, from its scores against the truth: (truth + label) (1 - DSC).

    A voxel with the label of another organ counts for both. Of z-limited organs it is about that: their DSC is of the
    truth's slices alone, their volume of all.
    """
    wrong = (truth.truth_ml + truth.prediction_ml) * (1 - truth.DSC)
    return wrong.groupby(truth.case).sum(min_count=1).dropna().rename("wrong_ml")


def quality(orders: dict[str, list[str]], wrong: pd.Series) -> pd.DataFrame:
    """One row for each way to order the scans: what its first ones hold.

    `first`: how many that is; `share_of_worst`: which share of as many scans with most wrong they hold; `by_chance`:
    what a random order would; `share_of_wrong`: their share of all wrong volume; `rank`: Spearman's correlation of the
    order with the wrong volume.
    """
    rows = []
    for name, order in orders.items():
        judged = [case for case in order if case in wrong.index]
        first = min(FIRST, max(1, len(judged) // 3))
        worst = set(wrong[judged].sort_values(ascending=False, kind="stable").index[:first])
        place = pd.Series(range(len(judged), 0, -1), index=judged)
        rows.append({
            "order": name, "scans": len(judged), "first": first,
            "share_of_worst": len(worst.intersection(judged[:first])) / first, "by_chance": first / len(judged),
            "share_of_wrong": wrong[judged[:first]].sum() / wrong[judged].sum(),
            "rank": place.corr(wrong[judged].rank()),
        })  # fmt: skip
    return pd.DataFrame(rows)
