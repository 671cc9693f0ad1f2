"""The comparison in words: which experiment is better than the baseline, and what to know before reading on."""

from collections.abc import Iterable

import pandas as pd

from noisy_student.report.experiments.comparison import Comparison, left_out_in_words, machines_are_equal
from noisy_student.report.experiments.experiment import Experiment
from noisy_student.report.experiments.tables import correction, few
from noisy_student.report.numbers import and_, count, interval, score, signed
from noisy_student.report.organ_tables import certainty_in_words
from noisy_student.report.verdict import CERTAIN, MIXED, NONE, UNKNOWN, certainty
from noisy_student.report.warnings import collapsed, judged_since, stopped


def headline(comparison: Comparison) -> tuple[str, str]:
    """One sentence on the last rounds, and its tone: `better`, `worse` or empty."""
    role, baseline = comparison.roles[0], comparison.baseline.name
    found: dict[str, list[str]] = {}
    for experiment in comparison.others:
        found.setdefault(_outcome(_last_difference(comparison, experiment, role, "DSC")), []).append(experiment.name)
    parts = [_said(outcome, names, baseline) for outcome, names in sorted(found.items())]
    scans = count(comparison.scans_of(role), f"shared {role} scan")
    tone = next(iter(found)) if len(found) == 1 else ""
    return f"Last rounds on {scans}, by DSC: {'; '.join(parts)}.", tone if tone in ("better", "worse") else ""


def _outcome(change: pd.Series) -> str:
    sure = certainty(change)
    return sure if sure != CERTAIN else "better" if change["difference"] > 0 else "worse"


def _said(outcome: str, names: list[str], baseline: str) -> str:
    listed, verb = and_(names), "is" if len(names) == 1 else "are"
    return {
        "better": f"{listed} {verb} better than {baseline}, by more than chance explains",
        "worse": f"{listed} {verb} worse than {baseline}, by more than chance explains",
        MIXED: f"of {listed} the evidence is mixed: interval and corrected test disagree",
        NONE: f"{listed} cannot be told apart from {baseline}",
        UNKNOWN: f"too few scans to tell {listed} from {baseline}",
    }[outcome]


def _last_difference(comparison: Comparison, experiment: Experiment, role: str, measure: str) -> pd.Series:
    return comparison.difference(experiment.name, comparison.last_pair(experiment), role, measure)


def key_numbers(comparison: Comparison) -> list[tuple[str, str, str]]:
    """(name, value, what it rests on) of each experiment's last round."""
    role = comparison.roles[0]
    found = []
    for experiment in comparison.experiments:
        number = experiment.scored[-1].number
        mean = comparison.mean(experiment.name, number, role, "DSC")
        basis = interval(mean["ci_low"], mean["ci_high"])
        if experiment is not comparison.baseline:
            change = _last_difference(comparison, experiment, role, "DSC")
            basis = f"{signed(change['difference'])} {certainty_in_words(change)}".strip()
        found.append((f"{experiment.name}, round {number}", score(mean["mean"]), basis))
    return found


def basis(comparison: Comparison) -> str:
    """What the key numbers are."""
    role, baseline = comparison.roles[0], comparison.baseline.name
    means = f"Mean DSC of the last round on the {role} scans that all experiments share"
    if not comparison.has_intervals(role):
        return f"{means}; below it the paired difference to {baseline}."
    return (
        f"{means}; below it the 95 % interval of {baseline}, and of the others the paired difference to {baseline} "
        f"with its 95 % interval (p: Wilcoxon’s signed-rank test, {correction(comparison)}). Intervals and tests are "
        "over scans: what another seed would change is not in them."
    )


def notes(comparison: Comparison) -> list[str]:
    """What a reader must know before trusting the numbers."""
    return [
        *(sentence for role in comparison.roles if (sentence := few(comparison, role).strip())),
        *(f"{text}." for text in left_out_in_words(comparison.scans)),
        *_another_truth(comparison),
        *(text for experiment in comparison.experiments for text in _of(experiment)),
        *_machines(comparison),
    ]


def _another_truth(comparison: Comparison) -> list[str]:
    if not comparison.scans["left_out"].str.startswith("another truth", na=False).any():
        return []
    return [
        "Scans with another truth were judged on label maps with other checksums: give both experiments the same ones "
        "and start them again to compare these scans too."
    ]


def _of(experiment: Experiment) -> Iterable[str]:
    """What is missing of an experiment, and how its rounds ended."""
    name = experiment.name
    if experiment.unscored:
        numbers = ", ".join(map(str, experiment.unscored))
        has, are = ("has", "it is") if len(experiment.unscored) == 1 else ("have", "they are")
        yield f"{name}: round {numbers} {has} no scores yet; {are} not compared."
    if not experiment.results.run:
        yield (
            f"{name} has no run.json yet: its configuration is unknown, and that its evaluation mode and tolerances "
            "are those of the others was not checked."
        )
    if since := judged_since(experiment.results):
        yield (
            f"{name}: the record {since}: its configuration counts as unknown, and that its evaluation mode and "
            "tolerances are those of the others was not checked."
        )
    for text in (*collapsed(experiment.results), *stopped(experiment.results)):
        yield f"{name}: {text}"


def _machines(comparison: Comparison) -> list[str]:
    is_measured = any(experiment.efficiency for experiment in comparison.experiments)
    if not is_measured or machines_are_equal(comparison.experiments):
        return []
    return ["Not all was measured on machines of one kind, as far as is recorded: the ranking leaves times out."]
