"""What labelling a scan costs, per round: means over the measured scans."""

from collections.abc import Iterable

import pandas as pd

from noisy_student.efficiency.outcome import SUCCESS
from noisy_student.evaluate.signed_rank import FEWEST_CASES
from noisy_student.machine import in_words, machines
from noisy_student.report.numbers import MISSING, and_
from noisy_student.report.results import Results, Round, for_readers
from noisy_student.report.table import Cell, Table

# Column of the efficiency table → heading. GPU columns are empty where there is no GPU.
SHOWN = {
    "seconds": "time, s",
    "gpu_stable_max_mb": "GPU memory, MB",
    "gpu_area_mb_s": "GPU area, MB·s",
    "gpu_area_true_mb_s": "its integral",
    "cpu_area_percent_s": "CPU area, %·s",
    "cpu_area_true_percent_s": "its integral",
    "tree_cpu_s": "CPU of the process, s",
    "peak_ram_mb": "peak RAM, MB",
}
# Measure of the ranking → heading.
MEASURES = {
    "DSC": "DSC",
    "NSD": "NSD",
    "seconds": "time",
    "gpu_area_over_tolerance_mb_s": "GPU area over 2048 MB",
    "cpu_area_percent_s": "CPU area",
}


def efficiency(results: Results) -> Table:
    """One row per round that was measured."""
    measured = [round_ for round_ in results.chain if len(round_.efficiency)]
    data = pd.DataFrame([measured_means(round_) for round_ in measured], columns=["round", "scans", "failed", *SHOWN])
    rows = [
        [
            Cell(round_.name, _machine(round_, measured)),
            Cell(_scans(row)),
            *(Cell(measured_number(getattr(row, column))) for column in SHOWN),
        ]
        for round_, row in zip(measured, data.itertuples(), strict=True)
    ]
    return Table(
        name="efficiency",
        title="Efficiency",
        caption=(
            "Means over the measured scans, each labelled from its file by a fresh process, in a job of its own; "
            "start-up and loading the model count. GPU memory and both areas are those of the whole device and "
            "machine, with whatever else ran there. Areas are the challenge’s nominal sums, beside them the true "
            "integrals over time." + _machines(measured) + _without_gpu(data)
        ),
        columns=["round", "scans", *SHOWN.values()],
        rows=rows,
        data=data,
    )


def measured_means(round_: Round) -> dict[str, object]:
    """The round, how many scans were measured, how many failed, and the mean of each measure."""
    table = round_.efficiency
    means = {column: pd.to_numeric(table[column]).mean() for column in SHOWN}
    return {
        "round": round_.called,
        "scans": len(table),
        "failed": int((table["outcome"] != SUCCESS).sum()),
        **means,
    }


def _scans(row: object) -> str:
    failed = (
        f" ({row.failed} failed or too slow: counted with the challenge’s penalty, or the time limit if it is more)"
        if row.failed
        else ""
    )
    return f"{row.scans}{failed}"


def measured_number(value: float) -> str:
    """A time, area or memory; a dash where it was not measured."""
    return MISSING if pd.isna(value) else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def measured_on(rounds: Iterable[Round]) -> list[str]:
    """The kinds of machines on which rounds were measured, in words, as far as it is known."""
    return [words for machine in machines(round_.efficiency for round_ in rounds) if (words := in_words(machine))]


def are_of_one_machine(rounds: Iterable[Round]) -> bool:
    """Whether the rounds that were measured were so on machines of one kind: only then do times and areas compare."""
    return len(machines(round_.efficiency for round_ in rounds)) < 2


def _machine(round_: Round, measured: list[Round]) -> str:
    """What the round was measured on, where that differs among rounds."""
    return "" if are_of_one_machine(measured) else and_(measured_on([round_]) or ["machine not recorded"])


def _machines(measured: list[Round]) -> str:
    if not are_of_one_machine(measured):
        return " Not all rounds were measured on machines of one kind: times and areas do not compare."
    return "".join(f" Measured on {words}." for words in measured_on(measured))


def _without_gpu(data: pd.DataFrame) -> str:
    if data.empty or data["gpu_area_mb_s"].notna().any():
        return ""
    return " They used no GPU: its columns are empty, and figures of a CPU do not compare with the challenge’s."


def ranking(results: Results) -> Table:
    """The challenge's ranking, with rounds in the place of teams."""
    data = for_readers(results.ranking)
    teams = {"set": data["set"].tolist()} if "set" in data else {}
    teams |= {"round": [results.rounds[int(number)].name for number in data["round"]]}
    other = "" if are_of_one_machine(results.rounds) else " They do not count here: several kinds of machines measured."
    return ranking_table(data, "The challenge’s ranking, with rounds in the place of teams", teams, other)


def ranking_table(data: pd.DataFrame, title: str, teams: dict[str, list[str]], remark: str = "") -> Table:
    """A ranking whose teams are named by these columns, and what else its caption says."""
    measures = {key: name for key, name in MEASURES.items() if (data.get(f"n_{key}", pd.Series(dtype=int)) > 0).any()}
    rows = [
        [
            Cell(str(row["role"])),
            *map(Cell, names),
            Cell(str(row["place"])),
            Cell(f"{row['score']:.2f}"),
            *(_rank(row, key) for key in measures),
        ]
        for (_, row), *names in zip(data.iterrows(), *teams.values(), strict=True)
    ]
    return Table(
        name="ranking",
        title=title,
        caption=(
            "Mean rank over cases, lower is better. DSC, NSD and running time count 1, the areas ½; a measure that "
            "nobody has does not count. Times and areas rank only what they tell apart: where a difference is no "
            "larger than its standard deviation over scans, or was measured on fewer scans than "
            f"{FEWEST_CASES}, the rank is shared.{remark}"
        ),
        columns=["role", *teams, "place", "score", *measures.values()],
        rows=rows,
        data=data,
    )


def _rank(row: pd.Series, measure: str) -> Cell:
    """A mean rank and its number of cases; a dash where no case was measured."""
    cases = row[f"n_{measure}"]
    return Cell(f"{row[f'rank_{measure}']:.2f}", note=f"n = {cases}") if cases else Cell(MISSING)
