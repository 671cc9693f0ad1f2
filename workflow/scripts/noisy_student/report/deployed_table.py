"""The student that is made to be deployed, beside the round that taught it: accuracy lost, time and memory won."""

from typing import Any

import pandas as pd

from noisy_student.efficiency.outcome import SUCCESS
from noisy_student.evaluate.aggregate import MEASURES
from noisy_student.report.efficiency_table import are_of_one_machine, measured_means, measured_number
from noisy_student.report.numbers import MISSING, interval, magnitude, product, score, signed, signed_interval
from noisy_student.report.organ_tables import change_in_words, comparison_row, mark, summary_row
from noisy_student.report.paper import (
    WINNER_CITATION,
    WINNER_DSC,
    WINNER_NSD,
    WINNER_PATCH,
    WINNER_SECONDS,
    WINNER_SPACING,
)
from noisy_student.report.results import Network, Results, Round
from noisy_student.report.settings import network_of
from noisy_student.report.table import Cell, Table
from noisy_student.sets import JudgedSet

PATCH, SPACING = "patch (z × y × x)", "spacing (z × y × x), mm"
# Column of the efficiency table → heading, and what less of it is.
COSTS = {
    "seconds": ("time, s", "as long"),
    "peak_ram_mb": ("peak RAM, MB", "as much"),
    "gpu_stable_max_mb": ("GPU memory, MB", "as much"),
}


def taught_by(results: Results) -> Round:
    """The round whose model labelled for the student that is made to be deployed."""
    return results.rounds[results.rounds[-1].verdict.get("labeller", -1)]


def deployed(results: Results) -> Table | None:
    """A column for the teacher, one for the student; None where the run makes no such student."""
    student = results.deployed
    if student is None:
        return None
    teacher = taught_by(results)
    judged = [(one, measure) for one in results.sets for measure in MEASURES]
    scores = {f"mean {measure}, {one.words}": (one, measure) for one, measure in judged}
    columns = {
        f"{teacher.name}, which taught it": _sizes(results, teacher)
        | {name: _mean(teacher, *what) for name, what in scores.items()}
        | _costs(teacher),
        student.name: _sizes(results, student)
        | {name: _compared(results, *what) for name, what in scores.items()}
        | _costs(student, teacher),
    }
    if results.has_papers_scans("validation"):
        own = {PATCH: WINNER_PATCH, SPACING: WINNER_SPACING, COSTS["seconds"][0]: measured_number(WINNER_SECONDS)}
        columns["FLARE22’s winner"] = {name: Cell(value) for name, value in own.items()}
    names = dict.fromkeys(name for cells in columns.values() for name in cells)
    return Table(
        name="deploy_student",
        title="The student made to be deployed",
        caption=(
            "It learned from the hand labels and from what the model of the round beside it made of the other scans, "
            "and taught nobody. Below its means the paired difference with its 95 % interval and p-value; below its "
            "costs their share of its teacher’s, over the scans that both labelled in time, if on machines of one kind."
            + _of_the_winner(results)
        ),
        columns=["", *columns],
        rows=[[Cell(name), *(cells.get(name, Cell(MISSING)) for cells in columns.values())] for name in names],
        data=pd.DataFrame([row for one, measure in judged for row in _data(results, one, measure)]),
    )


def in_words(results: Results, judged: JudgedSet) -> str:
    """What it reached on a set, what it lost and won against the round that taught it; empty where it is not judged."""
    student = results.deployed
    if student is None or pd.isna(mean := summary_row(student, judged, 0, "DSC")["mean"]):
        return ""
    teacher = taught_by(results)
    change = comparison_row(results, judged, student.number, teacher.number, 0, "DSC")
    spread = signed_interval(change["ci_low"], change["ci_high"])
    lost = f"{signed(change['difference'])} {spread}".strip() if pd.notna(change["difference"]) else "not compared"
    share = _share(student, teacher, "seconds")
    return (
        f"The student made to be deployed reached a mean DSC of {score(mean)}; against {teacher.name}, which taught "
        f"it, {lost}" + (f", in {share} of the time." if share else ".")
    )


def _of_the_winner(results: Results) -> str:
    if not results.has_papers_scans("validation"):
        return ""
    return (
        f" The winner’s figures are its own ({WINNER_CITATION}), on the challenge’s machine with a GPU; on the hidden "
        f"test scans it reached {score(WINNER_DSC)} in DSC and {score(WINNER_NSD)} in NSD."
    )


def _sizes(results: Results, round_: Round) -> dict[str, Cell]:
    name = network_of(results.run, round_.number)
    network = next((one for one in results.networks if one.name == name), Network(name, {}, {}))
    spacing = [round(value, 3) for value in network.configuration.get("spacing", [])]
    return {
        "parameters": Cell(magnitude(network.numbers.get("parameters"))),
        PATCH: Cell(product(network.configuration.get("patch_size", []))),
        SPACING: Cell(product(spacing)),
    }


def _mean(round_: Round, judged: JudgedSet, measure: str) -> Cell:
    mean = summary_row(round_, judged, 0, measure)
    return Cell(score(mean["mean"]), interval(mean["ci_low"], mean["ci_high"]))


def _compared(results: Results, judged: JudgedSet, measure: str) -> Cell:
    change = comparison_row(results, judged, results.deployed.number, taught_by(results).number, 0, measure)
    mean = summary_row(results.deployed, judged, 0, measure)["mean"]
    return Cell(score(mean), change_in_words(change), mark(change))


def _costs(round_: Round, teacher: Round | None = None) -> dict[str, Cell]:
    """What was measured, as shares of the teacher's; a time with how many scans count with the penalty in it."""
    means, cells = measured_means(round_), {}
    failed = f"{means['failed']} of {means['scans']} failed: penalty" if means["failed"] else ""
    for column, (heading, what) in COSTS.items():
        share = _share(round_, teacher, column) if teacher else ""
        if pd.notna(means[column]):
            notes = f"{share} {what}" if share else "", failed if column == "seconds" else ""
            cells[heading] = Cell(measured_number(means[column]), "; ".join(filter(None, notes)))
    return cells


def _share(student: Round, teacher: Round, column: str) -> str:
    """Over the scans that both labelled in time; empty without any, or on machines of several kinds."""
    tables = (round_.efficiency[round_.efficiency["outcome"] == SUCCESS] for round_ in (student, teacher))
    own, teachers = (pd.to_numeric(table.set_index("case")[column]) for table in tables)
    both = own.index.intersection(teachers.index)
    share = own[both].mean() / teachers[both].mean()
    return "" if pd.isna(share) or not are_of_one_machine([student, teacher]) else f"{share:.0%}"


def _data(results: Results, judged: JudgedSet, measure: str) -> list[dict[str, Any]]:
    """The teacher's mean and the student's, with what each costs."""
    student, teacher = results.deployed, taught_by(results)
    change = comparison_row(results, judged, student.number, teacher.number, 0, measure)
    rows = []
    for round_ in (teacher, student):
        mean, costs = summary_row(round_, judged, 0, measure), measured_means(round_)
        rows.append({"model": round_.name, **judged.keys, "measure": measure})
        rows[-1] |= {column: mean[column] for column in ("n", "mean", "ci_low", "ci_high")}
        rows[-1] |= {column: costs[column] for column in COSTS}
    names = ("difference", "ci_low", "ci_high", "p_holm")
    rows[-1] |= {name if name == "difference" else f"difference_{name}": change[name] for name in names}
    return rows
