"""Every scan of the run and what each round made of it, in the compact form that the page's case table reads."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from noisy_student.evaluate.aggregate import MEASURES
from noisy_student.report.label_maps import label_maps
from noisy_student.report.results import Results, Round, for_readers

# More than the page shows: rounding twice would round wrongly.
PER_ONE = 100_000
CONFIDENCE = "confidence"
COLUMNS = ["round", "case", "role", "set", "label", "organ", *MEASURES, CONFIDENCE]
# What is judged stands first.
ROLES = ("test", "validation", "unlabelled", "labelled")


def case_scores(results: Results) -> pd.DataFrame:
    """One row per case, organ and round: the table behind the page's.

    Scores are those of validation and test scans, of hand-labelled scans by the fold that held them out (DSC alone),
    and of other pseudo-labels where their truth is known; `confidence` is that of pseudo-labels.
    """
    tables = [table for round_ in results.chain for table in _scores(round_)]
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    # A scan that a fold held out may have a pseudo-label beside it, as one that is labelled in part.
    keys = ["round", "case", "label"]
    table = pd.concat(tables, ignore_index=True).groupby(keys, sort=False, dropna=False, as_index=False).first()
    roles = results.cases.set_index("case")["role"]
    return table.assign(role=table["case"].map(roles), set=table["set"].fillna("")).reindex(columns=COLUMNS)


def for_file(results: Results) -> pd.DataFrame:
    """The same for readers: rounds as they are called, without the column `set` where no role has several."""
    table, called = case_scores(results), {round_.number: round_.called for round_ in results.chain}
    return for_readers(table.assign(round=table["round"].map(called)))


def _scores(round_: Round) -> list[pd.DataFrame]:
    """The round's tables that have rows, with its number."""
    keys = ["case", "label", "organ"]
    made = round_.pseudo_label_scores.rename(columns={"mean_max_probability": CONFIDENCE})
    made = made.assign(**{CONFIDENCE: made[CONFIDENCE].where(made["voxels"] > 0)})[[*keys, CONFIDENCE]]
    truth = round_.pseudo_label_truth[[*keys, *MEASURES]]
    pseudo = made.merge(truth, on=keys, how="outer", sort=False) if len(made) and len(truth) else made
    pseudo.loc[pseudo["case"].isin(round_.held_out["case"]), pseudo.columns.intersection(MEASURES)] = np.nan
    tables = (round_.scores, round_.held_out, pseudo)
    return [table.reindex(columns=[c for c in COLUMNS if c in table]).assign(round=round_.number, set=table.get("set"))
            for table in tables if len(table)]  # fmt: skip


def case_rows(results: Results) -> dict[str, Any]:
    """What the page's table reads.

    `rounds` and what they are called (`titles`), how many of them are of the `chain`, whose student to be deployed
    stands last, `roles`, `sets` (none where each role is judged as a whole), `organs`
    (the mean over them first), and `texts`, into which numbers elsewhere point. Each of `cases` has its name, role and
    set; `scores[measure]`, for organs and in them rounds, in 1 / 100,000, None where there is none and without the
    measures of which there is none; `decisions`: round → kept or dropped, why, which organs are left out of the loss;
    and `maps`: pairs of title and path of its label maps, in which {} stands for its name.
    """
    table, texts = case_scores(results), _Texts()
    rounds = sorted(table["round"].unique().tolist())
    cases = results.cases.assign(order=results.cases["role"].map(ROLES.index)).sort_values("order", kind="stable")
    names = cases["case"].tolist()
    grids = _grids(results, table, names, rounds)
    sets = dict(zip(table["case"], table["set"], strict=True))
    decisions, maps = _decisions(results, texts), label_maps(results)
    rows = [
        {
            "case": case,
            "role": role,
            "set": sets.get(case, ""),
            "scores": {measure: _compact(grid[place]) for measure, grid in grids.items() if (grid[place] >= 0).any()},
            "decisions": decisions.get(case, {}),
            "maps": [texts.of((what, str(path).replace(case, "{}"))) for what, path in maps[case].items()],
        }
        for place, (case, role) in enumerate(zip(names, cases["role"], strict=True))
    ]
    return {
        "rounds": rounds,
        "titles": [round_.name.removesuffix(" (teacher)") for round_ in results.chain if round_.number in rounds],
        "chain": sum(round_.number in rounds for round_ in results.rounds),
        "roles": list(dict.fromkeys(cases["role"])),
        "sets": list(dict.fromkeys(name for name in table["set"] if name)),
        "organs": ["mean over organs", *(organ.name for organ in results.organs)],
        "perOne": PER_ONE,
        "texts": texts.known,
        "cases": rows,
    }


class _Texts:
    """Texts that stand on many scans, each kept once."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    @property
    def known(self) -> list[str]:
        """All texts, in the order of their numbers."""
        return list(self.places)

    def of(self, texts: Iterable[str]) -> list[int]:
        """The number of each text."""
        return [self.places.setdefault(text, len(self.places)) for text in texts]


def _grids(results: Results, table: pd.DataFrame, names: list[str], rounds: list[int]) -> dict[str, np.ndarray]:
    """Measure → whole numbers (case, organ, round), the mean over organs first; -1 where there is none."""
    labels = [organ.label for organ in results.organs]
    axes = [(table["case"], names), (table["label"], labels), (table["round"], rounds)]
    places = [column.map({value: place for place, value in enumerate(values)}) for column, values in axes]
    known = places[0].notna() & places[1].notna()
    index = tuple(place[known].astype(int) for place in places)
    grids = {}
    for measure in (*MEASURES, CONFIDENCE):
        grid = np.full((len(names), len(labels), len(rounds)), np.nan)
        grid[index] = table.loc[known, measure].astype(float)
        there = np.isfinite(grid)
        means = np.where(there, grid, 0).sum(axis=1) / np.where(there.any(axis=1), there.sum(axis=1), np.nan)
        whole = np.concatenate([means[:, None], grid], axis=1) * PER_ONE
        grids[measure] = np.where(np.isfinite(whole), whole.round(), -1).astype(int)
    return grids


def _compact(grid: np.ndarray) -> list[list[int | None]]:
    return [[value if value >= 0 else None for value in row] for row in grid.tolist()]


def _decisions(results: Results, texts: _Texts) -> dict[str, dict[int, list[int]]]:
    """Case → round → numbers of the decision, its reasons and the masked organs with theirs."""
    found: dict[str, dict[int, list[int]]] = {}
    for round_ in results.chain:
        for table in (round_.selection, round_.passed_over, round_.filling):
            columns = table.reindex(columns=["case", "decision", "reason", "masked", "mask_reason"]).fillna("")
            for case, decision, reason, masked, why in columns.itertuples(index=False):
                found.setdefault(case, {})[round_.number] = texts.of((decision, reason, why or masked))
    return found
