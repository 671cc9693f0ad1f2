"""Plots of the results: DSC and NSD over rounds, and each organ's difference between first and last round."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from noisy_student.evaluate.aggregate import MEASURES
from noisy_student.report.numbers import capitalised, score, signed
from noisy_student.report.organ_tables import comparison_row, few_scans, summary_row
from noisy_student.report.plots import (
    EXPERIMENT_COLOURS,
    EXPERIMENT_MARKERS,
    INK,
    LONGEST_ORGAN,
    ROLE_COLOURS,
    ROLE_MARKERS,
    Plot,
    canvas,
    height_of,
    in_plot,
    svg_text,
)
from noisy_student.report.results import Results
from noisy_student.sets import JudgedSet

JITTER = 0.04
LEGEND_LINE_INCH, LEGEND_LINE_POINTS = 0.18, 13
LONGEST_LABEL, LONGEST_TITLE = 50, 34


def over_rounds(results: Results) -> list[Plot]:
    """The mean DSC and NSD over organs of every evaluated round, with their intervals: a line for each role.

    Where some role has several sets, plots for each role, with a line for each set.
    """
    if any(judged.name for judged in results.sets):
        by_role = ((results.sets_of(role), role) for role in results.roles)
    else:
        by_role = ((sets, "") for sets in [results.sets] if sets)
    return [_over_rounds(results, *group, measure) for group in by_role for measure in MEASURES]


def _over_rounds(results: Results, sets: list[JudgedSet], of: str, measure: str) -> Plot:
    labels = [in_plot(f"{judged.words} (n = {_scans(results, judged)})", LONGEST_LABEL) for judged in sets]
    more_lines = "\n".join(labels).count("\n") if of else 0
    said = []
    with canvas(2.7 + LEGEND_LINE_INCH * more_lines) as (figure, (axes,)):
        for place, (judged, label) in enumerate(zip(sets, labels, strict=True)):
            shift = (2 * place - len(sets) + 1) * JITTER
            said.append(_line(axes, results, judged, measure, shift, label=label, **_look(judged, place)))
        axes.set(xlabel="round (0: teacher)", ylabel=f"mean {measure}")
        title = f"Mean {measure} over rounds" + (f", {of}" if of else "")
        axes.set_title(title, pad=18 + LEGEND_LINE_POINTS * more_lines)
        axes.set_xlim(-0.4, len(results.rounds) - 0.6)
        axes.set_xticks(range(len(results.rounds)))
        # Between title and axes, where no interval can reach.
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1 if of else 2, borderaxespad=0.2)
        text = svg_text(figure)
    return Plot(
        name=f"mean_{measure}_over_rounds" + (f"_{of}" if of else ""),
        caption=f"Mean {measure} over organs and {of + ' ' if of else ''}scans with its 95 % interval."
        f"{few_scans(results, sets)}",
        description=f"{title}. " + " ".join(said),
        svg=text,
    )


def _scans(results: Results, judged: JudgedSet) -> int:
    return int(summary_row(results.evaluated(judged)[0], judged, 0, "DSC")["n"])


def _line(axes: Axes, results: Results, judged: JudgedSet, measure: str, shift: float, **style: str) -> str:
    rounds = results.evaluated(judged)
    table = pd.DataFrame([summary_row(round_, judged, 0, measure) for round_ in rounds])
    said = draw_over_rounds(axes, [round_.number for round_ in rounds], table, shift, **style)
    return f"{capitalised(judged.words)}: {said}."


def draw_over_rounds(axes: Axes, numbers: Sequence[int], means: pd.DataFrame, shift: float, **style: Any) -> str:
    """Draw one line of means with their intervals, a little aside; return its values in words."""
    below, above = means["mean"] - means["ci_low"], means["ci_high"] - means["mean"]
    spread = [below.clip(lower=0), above.clip(lower=0)]
    axes.errorbar([number + shift for number in numbers], means["mean"], yerr=spread, capsize=3, **style)
    return ", ".join(f"round {number} {score(mean)}" for number, mean in zip(numbers, means["mean"], strict=True))


def _look(judged: JudgedSet, place: int) -> dict[str, str]:
    """Colour, marker and line: the role's, or those of the place that a set has in its role; pooled ones in ink."""
    colour, marker = ROLE_COLOURS[judged.role], ROLE_MARKERS[judged.role]
    if judged.name:
        colour = EXPERIMENT_COLOURS[place % len(EXPERIMENT_COLOURS)]
        marker = EXPERIMENT_MARKERS[place % len(EXPERIMENT_MARKERS)]
    if judged.pooled:
        colour, marker = INK, "*"
    return {"color": colour, "marker": marker, "linestyle": "-" if judged.role == "test" else "--"}


def organ_differences(results: Results, judged: JudgedSet, measure: str) -> Plot | None:
    """Each organ's paired difference, last evaluated round minus round 0; None if there is nothing to compare."""
    rounds = results.evaluated(judged)
    if len(rounds) < 2:
        return None
    last = rounds[-1].number
    rows = [(organ, comparison_row(results, judged, last, 0, organ.label, measure)) for organ in results.organs]
    rows = [(organ, row) for organ, row in rows if pd.notna(row["difference"])]
    if not rows:
        return None
    with canvas(height_of(len(rows), 3.6)) as (figure, (axes,)):
        said = draw_differences(axes, ((organ.name, organ.colour, row) for organ, row in rows), LONGEST_ORGAN)
        which = f"\n{in_plot(judged.words, LONGEST_TITLE)}" if judged.name else f" {judged.words}"
        axes.set(title=f"{measure}: round {last} − round 0,{which}", xlabel=f"difference in {measure}")
        text = svg_text(figure)
    return Plot(
        name=f"organ_differences_{measure}_{judged.file}",
        caption=(
            f"Paired difference in {measure} per organ with its 95 % interval, {judged.scans}; right of 0 is better. "
            f"Intervals are not corrected for their number; table 4 has corrected p-values."
            f"{few_scans(results, [judged])}"
        ),
        description=f"Difference in {measure} between round {last} and round 0, {judged.scans}: {said}.",
        svg=text,
    )


def draw_differences(axes: Axes, rows: Iterable[tuple[str, str, pd.Series]], longest_name: int) -> str:
    """Draw one paired difference with its interval a line, by name and colour from above; return them in words."""
    names, said = [], []
    for place, (name, colour, row) in enumerate(rows):
        axes.plot([row["ci_low"], row["ci_high"]], [place, place], color=INK, linewidth=1)
        axes.plot(row["difference"], place, "o", color=colour, markeredgecolor=INK, markersize=7)
        names.append(in_plot(name, longest_name))
        said.append(f"{name} {signed(row['difference'])}")
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    return ", ".join(said)
