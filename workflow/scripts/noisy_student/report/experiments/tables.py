"""Means of every round, and paired differences between experiments, as tables."""

import re

import pandas as pd

from noisy_student.evaluate.aggregate import FAILURE_DSC, MEASURES
from noisy_student.evaluate.experiments import pairs
from noisy_student.evaluate.signed_rank import FEWEST_CASES, least_p
from noisy_student.report.experiments.comparison import Comparison
from noisy_student.report.numbers import MISSING, NO_BREAK, SIGNIFICANT, count, interval, score, signed, signed_interval
from noisy_student.report.organ_tables import LABELLED_NOTE, certainty_in_words, mark, number_of_scans
from noisy_student.report.table import Cell, Table


def slug(role: str) -> str:
    """The role as a part of file names and ids."""
    return re.sub(r"\W+", "_", role)


def few(comparison: Comparison, role: str) -> str:
    """A sentence where there are too few scans for intervals, or for any test to reach the corrected level."""
    scans = comparison.scans_of(role)
    if not comparison.has_intervals(role):
        return (
            f" {count(scans, f'{role} scan')} {'is' if scans == 1 else 'are'} shared, fewer than {FEWEST_CASES}: "
            "there are no intervals and no p-values."
        )
    # Tests on more scans may have smaller p-values: then Holm's method corrects this role's for the others alone.
    if comparison.tests_of_at_most(scans) * least_p(scans) < SIGNIFICANT:
        return ""
    out_of_reach = f"no test can reach p < {SIGNIFICANT:g} after this correction, whatever the difference"
    return f" With {scans} {role} scans {out_of_reach}."


def correction(comparison: Comparison) -> str:
    """What the p-values are corrected for."""
    over = f"all {comparison.tests} tests" if comparison.tests > 1 else "the one test"
    return f"Holm-corrected over {over} of this page"


def rounds(comparison: Comparison, role: str) -> Table:
    """Every round of every experiment: what it learnt from and what it reached."""
    rows, data = [], []
    for experiment in comparison.experiments:
        for round_ in experiment.scored:
            means = {m: comparison.mean(experiment.name, round_.number, role, m) for m in MEASURES}
            organs = sum(scans_of_organs(comparison, experiment.name, round_.number, role))
            rows.append([
                Cell(experiment.name), Cell(round_.name), Cell(round_.share_kept or MISSING),
                *(Cell(score(row["mean"]), interval(row["ci_low"], row["ci_high"])) for row in means.values()),
                Cell(f"{means['DSC']['failures']:.0f} of {organs:.0f}"),
            ])  # fmt: skip
            data += [{"experiment": experiment.name, "round": round_.number, **row.drop(["experiment", "round"])}
                     for row in means.values()]  # fmt: skip
    return Table(
        name=f"rounds_{slug(role)}",
        title=f"Rounds, {role} scans",
        caption=(
            f"Means over organs and the {count(comparison.scans_of(role), f'{role} scan')} that all experiments share"
            f"{intervals_in_words(comparison, role)}."
        ),
        columns=["experiment", "round", "pseudo-labels kept", *(f"mean {measure}" for measure in MEASURES),
                 f"organs with DSC < {FAILURE_DSC:g}"],
        rows=rows,
        data=pd.DataFrame(data),
    )  # fmt: skip


def scans_of_organs(comparison: Comparison, name: str, number: int, role: str) -> list[int]:
    """In how many scans each organ was judged."""
    means = (comparison.mean(name, number, role, "DSC", organ.label) for organ in comparison.organs)
    return [number_of_scans(mean) for mean in means]


def intervals_in_words(comparison: Comparison, role: str) -> str:
    """What stands beside the means of a role, or why it does not."""
    if comparison.has_intervals(role):
        return ", with 95 % intervals over scans"
    return f", without intervals: there are fewer than {FEWEST_CASES} scans"


def differences(comparison: Comparison, role: str) -> Table:
    """Every paired difference to the baseline, of means over organs."""
    baseline = comparison.baseline.name
    rows, last = [], {e.name: comparison.last_pair(e) for e in comparison.others}
    for name, *pair in pairs(comparison.scores):
        found = {measure: comparison.difference(name, tuple(pair), role, measure) for measure in MEASURES}
        rows.append([
            Cell(name), Cell(_rounds(*pair), "the last rounds" if tuple(pair) == last[name] else ""),
            *(Cell(signed(row["difference"]), certainty_in_words(row), mark(row)) for row in found.values()),
            *(Cell(f"{row['wins']:.0f} / {row['ties']:.0f} / {row['losses']:.0f}") for row in found.values()),
        ])  # fmt: skip
    data = comparison.differences
    return Table(
        name=f"differences_{slug(role)}",
        title=f"Differences to {baseline}, {role} scans",
        caption=(
            f"Each round minus the same round of {baseline}, and the last round minus the last of {baseline}: means "
            f"over organs, paired by scan{intervals_in_words(comparison, role)}."
            + (_tests_in_words(comparison) + few(comparison, role) if comparison.has_intervals(role) else "")
        ),
        columns=["experiment", f"its round − {baseline}’s", *(f"difference in {measure}" for measure in MEASURES),
                 *(f"scans better / equal / worse, {measure}" for measure in MEASURES)],
        rows=rows,
        data=data[(data["role"] == role) & (data["label"] == 0)],
    )  # fmt: skip


def _rounds(number: int, against: int) -> str:
    return f"round {number} − round {against}".replace(" ", NO_BREAK)


def _tests_in_words(comparison: Comparison) -> str:
    return (
        f" p: Wilcoxon’s signed-rank test, {correction(comparison)} (all rows, both measures, every role). "
        f"▲ better, ▼ worse, marked where p < {SIGNIFICANT:g} and the test speaks for the direction of the mean."
    )


def organs(comparison: Comparison, role: str, measure: str) -> Table:
    """The last round of every experiment, organ by organ, with the difference to the baseline's last round."""
    rows = [*((organ.label, organ.name, organ.colour) for organ in comparison.organs), (0, "mean", "")]
    baseline = comparison.baseline
    scans = scans_of_organs(comparison, baseline.name, baseline.scored[-1].number, role)
    partly = set(scans) != {comparison.scans_of(role)}
    shown, data = [], []
    for (label, organ, colour), number in zip(rows, [*scans, comparison.scans_of(role)], strict=True):
        cells = [Cell(organ, colour=colour), *([Cell(str(number))] if partly else [])]
        for experiment in comparison.experiments:
            pair = comparison.last_pair(experiment)
            mean = comparison.mean(experiment.name, pair[0], role, measure, label)
            change = comparison.difference(experiment.name, pair, role, measure, label)
            cells.append(Cell(score(mean["mean"]), _change(change)))
            data.append({"label": label, "organ": organ, "experiment": experiment.name, "round": pair[0]})
            data[-1] |= {"measure": measure, **mean[["n", "mean", "ci_low", "ci_high"]]}
            data[-1] |= {f"difference_{key}": change[key] for key in ("ci_low", "ci_high")}
            data[-1] |= {"difference": change["difference"]}
        shown.append(cells)
    return Table(
        name=f"organs_{measure}_{slug(role)}",
        title=f"{measure} by organ, last rounds, {role} scans",
        caption=(
            f"Means; below them the paired differences to {baseline.name}"
            f"{intervals_in_words(comparison, role)}. Single organs are not tested, so there are no p-values here."
            f"{LABELLED_NOTE if partly else ''}"
        ),
        columns=["organ", *(["scans"] if partly else []),
                 *(f"{e.name}, round {e.scored[-1].number}" for e in comparison.experiments)],
        rows=shown,
        data=pd.DataFrame(data),
        total=True,
    )  # fmt: skip


def _change(change: pd.Series) -> str:
    if pd.isna(change["difference"]):
        return ""
    interval_in_words = signed_interval(change["ci_low"], change["ci_high"])
    return f"{signed(change['difference'])}{NO_BREAK}{interval_in_words}".strip()
