"""From how many scans each fold of a round learned, by whose labels, and how many it held out."""

from collections import Counter

import pandas as pd

from noisy_student.report.labelled_organs import partly_labelled
from noisy_student.report.numbers import count
from noisy_student.report.results import Results, Round
from noisy_student.report.table import Table, plain
from noisy_student.train.origins import CORRECTED, FILLED, LABELLED, PSEUDO

# Whose labels → in words. What a teacher filled is there as it was labelled by hand, too.
ORIGINS = {
    LABELLED: "hand-labelled",
    CORRECTED: "corrected by hand",
    FILLED: "filled by the teacher",
    PSEUDO: "pseudo-labelled",
}
PARTLY, HELD_OUT = "partly labelled", "held out"


def by_fold(results: Results, round_: Round) -> dict[int, Counter[str]]:
    """Fold → how many scans of which origin it learned from, and `PARTLY` and `HELD_OUT` ones."""
    origins = dict(zip(round_.training_set["case"], round_.training_set["origin"], strict=True))
    partly = partly_labelled(results)
    found = {}
    for fold in folds(results, round_):
        split = round_.splits[fold]
        learned = Counter(origins[case] for case in split["train"])
        of_hand_labelled = {case for case in split["train"] if origins[case] == "labelled"}
        learned[PARTLY], learned[HELD_OUT] = len(partly & of_hand_labelled), len(split["val"])
        found[fold] = learned
    return found


def folds(results: Results, round_: Round) -> list[int]:
    """The folds of a round that were trained or are to be; none before its dataset is there."""
    planned = results.run.get("configuration", {}).get("training", {}).get("folds", list(round_.training))
    return [fold for fold in planned if fold < len(round_.splits)]


def learned_scans(results: Results) -> Table | None:
    """One row for each round and fold; None before the first."""
    rows = [
        {"round": round_.number, "fold": fold, **_columns(counts)}
        for round_ in results.rounds
        for fold, counts in by_fold(results, round_).items()
    ]
    if not rows:
        return None
    data = pd.DataFrame(rows).fillna(0)
    order = ["round", "fold", *(name for name in data if name not in ("round", "fold", HELD_OUT)), HELD_OUT]
    data = data[order].astype(int)
    unused = [name for name in (PARTLY, ORIGINS["filled"]) if name in data and not data[name].any()]
    caption = (
        "From which scans each fold learned, and how many labelled ones it held out to validate on. Partly labelled "
        "and filled scans are among the hand-labelled ones."
    )
    return plain("learned_scans", "Scans learned from, by round and fold", caption, data.drop(columns=unused))


def _columns(counts: Counter[str]) -> dict[str, int]:
    return {ORIGINS.get(name, name): number for name, number in counts.items()}


def folds_in_words(results: Results, round_: Round) -> str:
    """The same of one round for a text: "fold 0: 2 hand-labelled, 32 pseudo-labelled; held out 2"."""
    said: dict[str, list[int]] = {}
    for fold, counts in by_fold(results, round_).items():
        shown = {name: number for name, number in _columns(counts).items() if number and name != HELD_OUT}
        among = ", ".join(f"{shown.pop(name)} {name}" for name in (PARTLY, ORIGINS["filled"]) if name in shown)
        by_hand = f"{shown.pop(ORIGINS['labelled'], 0)} {ORIGINS['labelled']}{f' ({among})' * bool(among)}"
        parts = [by_hand, *(f"{number} {name}" for name, number in shown.items())]
        said.setdefault(f"{', '.join(parts)}; held out {counts[HELD_OUT]}", []).append(fold)
    words = [f"fold{'s' * (len(own) > 1)} {', '.join(map(str, own))}: {text}" for text, own in said.items()]
    return f"({' – '.join(words)})" if words else ""


def in_short(results: Results, round_: Round) -> str:
    """For a cell: "2 of 4 labelled + 32 pseudo-labelled"; of several folds the fewest to the most. Empty of none."""
    counts = list(by_fold(results, round_).values())
    labelled = int((results.cases["role"] == "labelled").sum())
    if not counts:
        return ""
    each = "" if len(counts) == 1 else f"{count(len(counts), 'fold')}, each "
    text = f"{each}{_range(counts, 'labelled')} of {labelled} labelled"
    is_corrected = any(one[CORRECTED] for one in counts)
    filled = f" ({_range(counts, FILLED)} of them filled by the teacher)" if any(one[FILLED] for one in counts) else ""
    text += f" + {_range(counts, CORRECTED)} {ORIGINS[CORRECTED]}{filled}" if is_corrected else filled
    names = dict.fromkeys(name for one in counts for name in one)
    others = [name for name in names if name not in (LABELLED, CORRECTED, FILLED, PARTLY, HELD_OUT)]
    return " + ".join([text, *(f"{_range(counts, name)} {ORIGINS.get(name, name)}" for name in others)])


def _range(counts: list[Counter[str]], name: str) -> str:
    low, high = min(one[name] for one in counts), max(one[name] for one in counts)
    return str(low) if low == high else f"{low} to {high}"
