"""What the scores of pseudo-labels are worth, where the truth of unlabelled scans is known; never used to select."""

import pandas as pd

from noisy_student.report.numbers import MINUS
from noisy_student.report.results import Results, Round
from noisy_student.report.table import Cell, Table

BINS = 8
FEWEST = 3


def confidence_and_truth(round_: Round) -> pd.DataFrame:
    """Per case: `confidence`, `decision`, and `DSC` of its pseudo-label where the truth is known.

    The DSC is the mean over the organs that are labelled in the truth.
    """
    truth = round_.pseudo_label_truth.groupby("case")["DSC"].mean().reset_index()
    return round_.selection.merge(truth, on="case")[["case", "confidence", "decision", "DSC"]].dropna()


def spearman(first: pd.Series, second: pd.Series) -> float:
    """Rank correlation over the entries that both have; missing for fewer than three."""
    pair = pd.DataFrame({"first": first, "second": second}).astype(float).dropna()
    return float("nan") if len(pair) < FEWEST else pair["first"].rank().corr(pair["second"].rank())


def rank_text(value: float) -> str:
    """A rank correlation: two digits."""
    return "not defined" if pd.isna(value) else f"{value:.2f}".replace("-", MINUS)


def reliability(round_: Round) -> pd.DataFrame:
    """Organs of all pseudo-labels in groups of like number, by their mean maximum probability.

    Columns `organs` (how many), `probability` and `DSC` (means of the group), `gap` (their difference). Organs that
    the teacher did not find have no probability and do not count.
    """
    scores = round_.pseudo_label_scores.dropna(subset="mean_max_probability")
    both = scores.merge(round_.pseudo_label_truth[["case", "label", "DSC"]], on=["case", "label"]).dropna(subset="DSC")
    if len(both) < BINS:
        return pd.DataFrame(columns=["organs", "probability", "DSC", "gap"])
    group = pd.qcut(both["mean_max_probability"].astype(float), BINS, labels=False, duplicates="drop")
    rows = both.groupby(group)
    table = pd.DataFrame(
        {"organs": rows.size(), "probability": rows["mean_max_probability"].mean(), "DSC": rows["DSC"].mean()}
    )
    return table.assign(gap=table["probability"] - table["DSC"]).reset_index(drop=True)


def mean_gap(gaps: pd.Series, sizes: pd.Series) -> float:
    """The mean of absolute gaps, each of a group of so many; missing without any."""
    return float((gaps.abs() * sizes).sum() / sizes.sum()) if len(gaps) else float("nan")


def score_ranks(results: Results) -> Table | None:
    """Each score's rank correlation with the true DSC, per round: which score tells good pseudo-labels from bad ones.

    None where no truth is known.
    """
    tables = [_ranks(round_) for round_ in results.rounds if len(round_.pseudo_label_truth) and len(round_.selection)]
    data = pd.concat(tables) if tables else pd.DataFrame()
    if data.empty:
        return None
    columns = ["score", "round", "scans", "Spearman’s ρ with the true DSC"]
    rows = [[Cell(row.score.replace("_", " ")), Cell(str(row.round)), Cell(str(row.scans)), Cell(rank_text(row.rho))]
            for row in data.itertuples()]  # fmt: skip
    caption = (
        "Means over organs, one value a scan; the true DSC is over the organs that are labelled in the truth. Where a "
        "low score is good, as with entropy, ρ is negative."
    )
    return Table("pseudo_label_score_ranks", "What each score is worth", caption, columns, rows, data)


def _ranks(round_: Round) -> pd.DataFrame:
    truth = round_.pseudo_label_truth.groupby("case")["DSC"].mean()
    table = round_.selection.set_index("case")
    table = table[table.index.isin(truth.index)]
    means = [name for name in table if name.endswith("_mean") and table[name].notna().sum() >= FEWEST]
    rows = [(name.removesuffix("_mean"), table[name]) for name in means if table[name].nunique() > 1]
    found = [
        {"round": round_.number, "score": name, "scans": int(values.notna().sum()), "rho": spearman(values, truth)}
        for name, values in rows
    ]
    return pd.DataFrame(found).sort_values("rho", key=abs, ascending=False) if found else pd.DataFrame()
