"""Tables 1 and 2, the overview of the rounds, and the tables of the traceability section."""

from typing import Any

import pandas as pd

from noisy_student.report.numbers import MISSING, count, duration, interval, magnitude, product, score
from noisy_student.report.organ_tables import change_in_words, comparison_row, mark, summary_row
from noisy_student.report.paper import PROTOCOL
from noisy_student.report.results import Network, Results, Round
from noisy_student.report.table import Cell, Table, plain

ROLES = ("labelled", "unlabelled", "validation", "test")


def environment(results: Results) -> Table:
    """Table 1: the machine and the versions."""
    machine, versions = results.run.get("machine", {}), results.run.get("versions", {})
    rows = [(key.replace("ram_gb", "RAM, GB").replace("gpu", "GPU").replace("cpu", "CPU"), value or "none")
            for key, value in machine.items()]  # fmt: skip
    rows += list(versions.items())
    return plain("table_1_environment", "Table 1. Environment", "As recorded when the run started.",
                 pd.DataFrame(rows, columns=["what", "this run"]))  # fmt: skip


def find(settings: Any, key: str) -> Any:
    """The first value under `key` at any depth of nested mappings; None if there is none."""
    if not isinstance(settings, dict):
        return None
    if key in settings:
        return settings[key]
    return next((found for value in settings.values() if (found := find(value, key)) is not None), None)


def protocol(results: Results) -> Table:
    """Table 2: one column per network of the run, the paper's beside it."""
    columns = {network.name: _protocol_of(results, network) for network in results.networks}
    columns = columns or {"this run": _trained(results)}
    keys = list(PROTOCOL)
    keys[7:7] = ["iterations per epoch"]
    data = pd.DataFrame([{"what": key, **{name: values.get(key, MISSING) for name, values in columns.items()},
                          "the paper": PROTOCOL.get(key, MISSING)} for key in keys])  # fmt: skip
    caption = "Network and sampling from nnU-Net's plans; epochs, rate and time from the training logs of all folds."
    return plain("table_2_training_protocol", "Table 2. Training protocol", caption, data)


def _protocol_of(results: Results, network: Network) -> dict[str, str]:
    plans = network.configuration
    architecture = plans.get("architecture", {}).get("network_class_name", MISSING).rsplit(".", 1)[-1]
    return _trained(results) | {
        "network": architecture,
        "parameters": magnitude(network.numbers.get("parameters")),
        "FLOPs at the patch size": magnitude(network.numbers.get("flops")),
        "patch (z × y × x)": product(plans.get("patch_size", [])),
        "batch size": str(plans.get("batch_size", MISSING)),
        "spacing (z × y × x), mm": product([round(value, 3) for value in plans.get("spacing", [])]),
    }


def _trained(results: Results) -> dict[str, str]:
    folds = [fold for round_ in results.rounds for fold in round_.training.values() if len(fold)]
    iterations = find(results.run.get("configuration", {}), "iterations_per_epoch")
    shared = {
        "iterations per epoch": str(iterations) if iterations else MISSING,
        "learning-rate schedule": "poly, exponent 0.9 (nnU-Net)",
        "optimizer": "SGD, Nesterov momentum 0.99 (nnU-Net)",
        "loss": "Dice + cross-entropy (nnU-Net)",
        "initialisation": "He (nnU-Net)",
    }
    if not folds:
        return shared
    epochs = sorted({len(fold) for fold in folds})
    rates = sorted({f"{fold['learning_rate'].iloc[0]:.4g}" for fold in folds})
    seconds = sum(fold["seconds"].sum() for fold in folds)
    return shared | {
        "epochs": ", ".join(str(number) for number in epochs),
        "initial learning rate": ", ".join(rates),
        "training time": f"{duration(seconds)} in all ({count(len(folds), 'training')})",
    }


def rounds(results: Results, role: str) -> Table:
    """One row per round: what it learnt from, how long it took, what it reached, what is missing."""
    rows = [_round_row(results, round_, role) for round_ in results.rounds]
    columns = ["round", "scans learnt from", "training", "mean DSC", "change in DSC", "mean NSD", "state"]
    data = pd.DataFrame([[" ".join(filter(None, (cell.text, cell.note))) for cell in row] for row in rows],
                        columns=columns)  # fmt: skip
    caption = f"Means over organs and {role} scans with 95 % intervals; change against the round before, paired."
    return Table("rounds_overview", "Rounds at a glance", caption, columns, rows, data)


def _round_row(results: Results, round_: Round, role: str) -> list[Cell]:
    dsc, nsd = (summary_row(round_, role, 0, measure) for measure in ("DSC", "NSD"))
    change = comparison_row(results, role, round_.number, round_.number - 1, 0, "DSC")
    missing = missing_parts(round_)
    return [
        Cell(round_.name),
        Cell(_learnt_from(results, round_)),
        Cell(_training_time(round_)),
        Cell(score(dsc["mean"]), interval(dsc["ci_low"], dsc["ci_high"])),
        Cell(change_in_words(change) or MISSING, mark=mark(change)),
        Cell(score(nsd["mean"]), interval(nsd["ci_low"], nsd["ci_high"])),
        Cell("complete" if not missing else "missing: " + ", ".join(missing)),
    ]


def missing_parts(round_: Round) -> list[str]:
    """What a finished round would have and this one lacks."""
    parts = {"training": bool(round_.training), "scores": len(round_.scores) > 0, "summary": len(round_.summary) > 0}
    if round_.number:
        parts = {"pseudo-labels": len(round_.pseudo_label_scores) > 0, "selection": len(round_.selection) > 0} | parts
    return [name for name, there in parts.items() if not there]


def _learnt_from(results: Results, round_: Round) -> str:
    labelled = f"{int((results.cases['role'] == 'labelled').sum())} labelled"
    if not round_.number:
        return labelled
    if round_.selection.empty:
        return f"{labelled}, pseudo-labels not selected yet"
    return f"{labelled} + {int((round_.selection['decision'] == 'kept').sum())} pseudo-labelled"


def _training_time(round_: Round) -> str:
    if not round_.training:
        return MISSING
    epochs = " / ".join(str(length) for length in sorted({len(fold) for fold in round_.training.values()}))
    seconds = sum(fold["seconds"].sum() for fold in round_.training.values())
    return f"{count(len(round_.training), 'fold')} × {epochs} epochs, {duration(seconds)}"


def roles(results: Results) -> Table:
    """How many cases of which role and source there are."""
    sources = results.cases["source"].fillna("not given")
    counts = pd.crosstab(sources, results.cases["role"]).reindex(columns=list(ROLES), fill_value=0)
    data = counts.reset_index().rename(columns={"source": "source"})
    data.loc[len(data)] = ["all", *counts.sum()]
    return plain("case_counts", "Cases by role", "Counted in the case table.", data)


def findings(results: Results) -> Table:
    """What the case check found."""
    caption = "Errors stop a run; warnings are worth a look."
    return plain("findings", "Findings of the case check", caption, results.findings)


def checksums(results: Results) -> Table:
    """SHA-256 of the files that the run rests on."""
    data = pd.DataFrame(results.run.get("checksums", {}).items(), columns=["file", "SHA-256"])
    return plain("checksums", "Checksums", "SHA-256 of data, plans and models; each case's is in the case table.", data)


def facts(results: Results) -> list[tuple[str, Any]]:
    """(name, value) of what identifies the run, for the head of the page."""
    run = results.run
    commit = str(run.get("git_commit") or "")[:10]
    known = {"rounds": len(results.rounds), "cases": len(results.cases), "seed": run.get("seed"),
             "started": run.get("started"), "code": commit}  # fmt: skip
    return [(name, value) for name, value in known.items() if value not in (None, "")]
