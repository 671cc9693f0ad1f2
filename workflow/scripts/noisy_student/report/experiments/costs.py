"""What the experiments cost: their trainings, and labelling a scan; the challenge's ranking, which counts both."""

from typing import Any

import pandas as pd

from noisy_student.efficiency.outcome import SUCCESS
from noisy_student.report.efficiency_table import ranking_table
from noisy_student.report.experiments.comparison import Comparison, machines_are_equal
from noisy_student.report.experiments.experiment import Experiment
from noisy_student.report.numbers import MISSING, count, duration
from noisy_student.report.results import Results, Round
from noisy_student.report.table import Cell, Table


def ranking(comparison: Comparison) -> Table:
    """The challenge's ranking over the rounds of all experiments."""
    data = comparison.ranking
    named = {e.name: {r.number: r.name for r in e.results.rounds} for e in comparison.experiments}
    teams = {
        "experiment": data["experiment"].tolist(),
        "round": [named[name][number] for name, number in data[["experiment", "round"]].itertuples(index=False)],
    }
    title = "The challenge’s ranking, with the rounds of all experiments in the place of teams"
    return ranking_table(data, title, teams, _what_counts(comparison))


def _what_counts(comparison: Comparison) -> str:
    if machines_are_equal(comparison.experiments):
        return " Scans on which a round was not measured do not count for any."
    return " Running time and areas do not count: not all was measured on machines of one kind, as far as is recorded."


def costs(comparison: Comparison) -> Table:
    """What every round's training took, and what its model takes for a scan."""
    scans = comparison.measured_scans
    data = pd.DataFrame([
        _costs(experiment, round_, scans) for experiment in comparison.experiments for round_ in experiment.scored
    ])  # fmt: skip
    names = [r.name for e in comparison.experiments for r in e.scored]
    rows = [
        [
            Cell(row.experiment),
            Cell(name),
            Cell(duration(3600 * row.training_hours), _folds_in_words(row)),
            Cell(MISSING if pd.isna(row.seconds_a_scan) else f"{row.seconds_a_scan:.1f}", _penalties(row)),
        ]
        for row, name in zip(data.itertuples(), names, strict=True)
    ]
    return Table(
        name="costs",
        title="Costs",
        caption=(
            "Training: wall time of the epochs that the model rests on, folds added up, wherever and whenever they "
            "were trained. A dash: none was trained for this round, as where a model was taken from elsewhere. "
            + _scans_measured(comparison, len(scans))
        ),
        columns=["experiment", "round", "training", "seconds a scan"],
        rows=rows,
        data=data,
    )


def _costs(experiment: Experiment, round_: Round, scans: set[str]) -> dict[str, Any]:
    seconds = {fold: epochs["seconds"].sum() for fold, epochs in round_.training.items() if len(epochs)}
    measured = round_.efficiency[round_.efficiency["case"].isin(scans)]
    return {
        "experiment": experiment.name,
        "round": round_.number,
        "training_hours": sum(seconds.values()) / 3600 if seconds else float("nan"),
        "folds_trained": len(seconds),
        "folds": len(_configured_folds(experiment.results) or seconds),
        "seconds_a_scan": pd.to_numeric(measured["seconds"]).mean(),
        "scans_measured": len(measured),
        "scans_failed": int((measured["outcome"] != SUCCESS).sum()),
    }


def _configured_folds(results: Results) -> list[int]:
    """Empty where no configuration was recorded."""
    return results.run.get("configuration", {}).get("training", {}).get("folds", [])


def _folds_in_words(row: Any) -> str:
    if not row.folds_trained:
        return "not trained"
    return f"{row.folds_trained} of {row.folds} folds" if row.folds_trained < row.folds else count(row.folds, "fold")


def _penalties(row: Any) -> str:
    return f"{row.scans_failed} failed: penalty" if row.scans_failed else ""


def _scans_measured(comparison: Comparison, scans: int) -> str:
    if not scans:
        return "Seconds a scan: no shared scan was measured in all rounds that were measured (efficiency.tsv)."
    text = (
        f"Seconds a scan: mean over the {count(scans, 'shared scan')} of efficiency.tsv that were measured in every "
        "measured round, start-up and loading the model included; a scan that failed counts with the challenge’s "
        "penalty, or the time limit if it is more."
    )
    if machines_are_equal(comparison.experiments):
        return text
    return f"{text} Not all was measured on machines of one kind, as far as is recorded: times do not compare."
