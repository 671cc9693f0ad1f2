"""Table 1, the overview of the rounds, and the tables of the traceability section."""

from typing import Any

import pandas as pd

from noisy_student.cohort.roles import ROLES
from noisy_student.evaluate.aggregate import FAILURE_DSC
from noisy_student.report.learned_scans import in_short
from noisy_student.report.numbers import MISSING, count, duration, interval, score, signed
from noisy_student.report.organ_tables import (
    certainty_in_words,
    comparison_row,
    few_scans,
    mark,
    scans_of_organs,
    summary_row,
)
from noisy_student.report.results import Results, Round
from noisy_student.report.table import Cell, Table, plain
from noisy_student.sets import JudgedSet


def environment(results: Results) -> Table:
    """Table 1: the machine that wrote the run's record, and the versions."""
    machine, versions = results.run.get("machine", {}), results.run.get("versions", {})
    rows = [(key.replace("ram_gb", "RAM, GB").replace("gpu", "GPU").replace("cpu", "CPU"), value or "none")
            for key, value in machine.items()]  # fmt: skip
    rows += list(versions.items())
    caption = (
        "The machine on which the record was written when the run ended; trainings and measurements may have run on "
        "others."
    )
    data = pd.DataFrame(rows, columns=["what", "this run"])
    return plain("table_1_environment", "Table 1. Environment", caption, data)


def rounds(results: Results, judged: JudgedSet) -> Table:
    """One row per round: what it learnt from, how long it took, what it reached, what is missing."""
    rows = [_round_row(results, round_, judged) for round_ in results.rounds]
    failed = f"organs with DSC < {FAILURE_DSC:g}"
    columns = ["round", "scans learnt from", "training", "mean DSC", "change in DSC", "mean NSD", failed, "state"]
    data = pd.DataFrame([_round_data(results, round_, judged) for round_ in results.rounds])
    few = few_scans(results, [judged]) if results.evaluated(judged) else ""
    caption = (
        f"Means over organs and {judged.scans} with 95 % intervals; change against the round before, paired, with the "
        f"p-value of Wilcoxon’s signed-rank test: one for each round, not corrected for their number.{few}"
    )
    name, title = "rounds_overview", "Rounds at a glance"
    if judged.name:
        name, title = f"{name}_{judged.file}", f"{title}, {judged.scans}"
    return Table(name, title, caption, columns, rows, data)


def _round_row(results: Results, round_: Round, judged: JudgedSet) -> list[Cell]:
    dsc, nsd = (summary_row(round_, judged, 0, measure) for measure in ("DSC", "NSD"))
    change = comparison_row(results, judged, round_.number, round_.number - 1, 0, "DSC")
    missing = missing_parts(round_)
    organs = sum(scans_of_organs(results, round_, judged).values())
    return [
        Cell(round_.name),
        Cell(_learnt_from(results, round_)),
        Cell(_training_time(round_)),
        Cell(score(dsc["mean"]), interval(dsc["ci_low"], dsc["ci_high"])),
        Cell(signed(change["difference"]), certainty_in_words(change), mark(change)),
        Cell(score(nsd["mean"]), interval(nsd["ci_low"], nsd["ci_high"])),
        Cell(MISSING if pd.isna(dsc["failures"]) else f"{dsc['failures']:.0f} of {organs}"),
        Cell("complete" if not missing else "missing: " + ", ".join(missing)),
    ]


def _round_data(results: Results, round_: Round, judged: JudgedSet) -> dict[str, Any]:
    data: dict[str, Any] = {"round": round_.number, **judged.keys}
    data["kept_pseudo_labels"] = len(round_.kept)
    data["training_seconds"] = sum(fold["seconds"].sum() for fold in round_.training.values())
    for measure in ("DSC", "NSD"):
        mean = summary_row(round_, judged, 0, measure)
        change = comparison_row(results, judged, round_.number, round_.number - 1, 0, measure)
        data |= {f"{measure}_{column}": mean[column] for column in ("n", "mean", "ci_low", "ci_high", "failures")}
        data |= {f"{measure}_change_{column}": change[column] for column in ("difference", "ci_low", "ci_high")}
    return data | {"missing": ", ".join(missing_parts(round_))}


def missing_parts(round_: Round) -> list[str]:
    """What a finished round would have and this one lacks."""
    parts = {
        "training": bool(round_.training or round_.taken) or round_.repeats is not None,
        "scores": len(round_.scores) > 0,
        "summary": len(round_.summary) > 0,
    }
    if round_.number:
        parts = {"pseudo-labels": len(round_.pseudo_label_scores) > 0, "selection": round_.is_selected} | parts
    return [name for name, there in parts.items() if not there]


def _learnt_from(results: Results, round_: Round) -> str:
    if round_.taken:
        return "from elsewhere"
    if round_.repeats is not None:
        return f"none: round {round_.repeats} again"
    return in_short(results, round_) or "nothing yet"


def _training_time(round_: Round) -> str:
    if not round_.training:
        return "none" if round_.taken or round_.repeats is not None else MISSING
    epochs = " / ".join(str(length) for length in sorted({len(fold) for fold in round_.training.values()}))
    seconds = sum(fold["seconds"].sum() for fold in round_.training.values())
    return f"{count(len(round_.training), 'fold')} × {epochs} epochs, {duration(seconds)}"


def teachers(results: Results) -> Table | None:
    """One row for each model from elsewhere that round 0 is; None if it was trained."""
    rows = [
        {
            "model": model["model"],
            "SHA-256": ", ".join(f"{name} {checksum}" for name, checksum in model["sha256"].items()),
            "organs": ", ".join(organ.name for organ in results.organs if organ.name not in model["lacks"]),
            "does not mark": ", ".join(model["lacks"]),
            "left out of the loss": ", ".join(model["unknown"]),
        }
        for round_ in results.rounds
        for model in round_.taken
    ]
    caption = (
        "Round 0 was not trained. Of an organ that a model does not mark its background says nothing; labels whose "
        "names are no organ's may be parts of one."
    )
    return plain("teachers", "Teachers from elsewhere", caption, pd.DataFrame(rows)) if rows else None


def roles(results: Results) -> Table:
    """How many cases of which role and source there are."""
    sources = results.cases["source"].fillna("not given")
    counts = pd.crosstab(sources, results.cases["role"]).reindex(columns=list(ROLES), fill_value=0)
    data = counts.reset_index()
    data.loc[len(data)] = ["all", *counts.sum()]
    return plain("case_counts", "Cases by role", "Counted in the case table.", data)


def findings(results: Results) -> Table:
    """What the case check found."""
    caption = "Errors stop a run; warnings are worth a look; notes say what was passed over."
    return plain("findings", "Findings of the case check", caption, results.findings)


def checksums(results: Results) -> Table:
    """SHA-256 of the files that the run rests on."""
    data = pd.DataFrame(results.run.get("checksums", {}).items(), columns=["file", "SHA-256"])
    return plain("checksums", "Checksums", "SHA-256 of data, plans and models; each case's is in the case table.", data)


def facts(results: Results) -> list[tuple[str, Any]]:
    """(name, value) of what identifies the run, for the head of the page."""
    run = results.run
    times = {name: str(run.get(name) or "")[:16].replace("T", " ") for name in ("started", "finished")}
    chain = f"teacher + {count(results.students, 'student')}" if results.students else ""
    known = {"rounds": chain, "cases": len(results.cases), "seed": run.get("seed"), **times, "code": _commit(run)}
    return [(name, value) for name, value in known.items() if value not in (None, "")]


def _commit(run: dict[str, Any]) -> str:
    """The commit in short; a `+` after it says that files were changed since."""
    commit = str(run.get("git_commit") or "")
    return commit.rstrip("+")[:10] + (" with changes" if commit.endswith("+") else "")
