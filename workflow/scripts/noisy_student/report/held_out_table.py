"""What each round did on the labelled scans that its folds held out, and whether it labels for the next."""

import pandas as pd

from noisy_student.report.numbers import signed
from noisy_student.report.results import Results, Round
from noisy_student.report.table import Cell, Table

COLUMNS = ["round", "labelled by", "gain in mean DSC", "verdict", "labels next", "largest piece alone helps"]


def held_out(results: Results) -> Table | None:
    """One row per judged round; None before the first."""
    judged = [round_ for round_ in results.rounds if round_.verdict]
    if not judged:
        return None
    data = pd.DataFrame([_row(results, round_) for round_ in judged], columns=COLUMNS)
    rows = [[Cell(_text(value)) for value in row] for row in data.itertuples(index=False)]
    caption = (
        "Gain over the model that labelled for the round, on the hand-labelled scans that both held out. A round that "
        "loses an organ, or falls behind by more than the configured noise and, of two scans or more, with the whole "
        "interval of the difference below 0, labels nothing. Last column: organs whose DSC there rises if only the "
        "largest connected piece is kept (nnU-Net’s analysis)."
    )
    return Table("held_out", "Judged on held-out labelled scans", caption, COLUMNS, rows, data)


def _row(results: Results, round_: Round) -> list[object]:
    verdict = round_.verdict
    teacher = f"round {verdict['teacher']}" if round_.number else None
    why_not = verdict.get("not_compared")
    text = "; ".join(verdict["reasons"]) or (f"not compared: {why_not}" if why_not else "holds up")
    if round_.repeats is not None:
        text = f"not made: repeats round {round_.repeats}"
    return [round_.name, teacher, verdict["gain"], text if round_.number else None, f"round {verdict['labeller']}",
            ", ".join(largest_pieces(results, round_)) if round_.postprocessing else None]  # fmt: skip


def largest_pieces(results: Results, round_: Round) -> list[str]:
    """Of what keeping the largest piece alone raised the DSC, or "none"; of a round that was analysed."""
    names = {organ.label: organ.name for organ in results.organs}
    steps = round_.postprocessing["steps"]
    found = ["all organs together" if len(step) > 1 else names.get(step[0], str(step[0])) for step in steps]
    return found or ["none"]


def _text(value: object) -> str:
    if value is None or pd.isna(value):
        return ""
    return signed(value) if isinstance(value, float) else str(value)
