"""Plots of the results: DSC and NSD over rounds, and each organ's difference between first and last round."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from noisy_student.report.numbers import score, signed
from noisy_student.report.organ_tables import comparison_row, summary_row
from noisy_student.report.plots import INK, ROLE_COLOURS, ROLE_MARKERS, Plot, canvas, svg_text
from noisy_student.report.results import Results

JITTER = 0.04


def over_rounds(results: Results, measure: str) -> Plot:
    """The mean over organs of every evaluated round, with its interval, one line per role."""
    said = []
    with canvas(2.7) as (figure, (axes,)):
        for shift, role in zip((-JITTER, JITTER), results.roles, strict=False):
            said.append(_line(axes, results, role, measure, shift if len(results.roles) > 1 else 0))
        axes.set(xlabel="round (0: teacher)", ylabel=f"mean {measure}")
        axes.set_title(f"Mean {measure} over rounds", pad=18 if said else None)
        axes.set_xlim(-0.4, len(results.rounds) - 0.6)
        axes.set_xticks(range(len(results.rounds)))
        if said:
            # Between title and axes, where no interval can reach.
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
        text = svg_text(figure)
    return Plot(
        name=f"mean_{measure}_over_rounds",
        caption=f"Mean {measure} over organs and scans with its 95 % interval.",
        description=f"Mean {measure} over rounds. " + " ".join(said),
        svg=text,
    )


def _line(axes: Axes, results: Results, role: str, measure: str, shift: float) -> str:
    rounds = results.evaluated(role)
    table = pd.DataFrame([summary_row(round_, role, 0, measure) for round_ in rounds])
    said = draw_over_rounds(
        axes,
        [round_.number for round_ in rounds],
        table,
        shift,
        color=ROLE_COLOURS[role],
        marker=ROLE_MARKERS[role],
        linestyle="-" if role == "test" else "--",
        label=f"{role} (n = {table['n'].iloc[0]:.0f})",
    )
    return f"{role.capitalize()}: {said}."


def draw_over_rounds(axes: Axes, numbers: Sequence[int], means: pd.DataFrame, shift: float, **style: Any) -> str:
    """Draw one line of means with their intervals, a little aside; return its values in words."""
    below, above = means["mean"] - means["ci_low"], means["ci_high"] - means["mean"]
    spread = [below.clip(lower=0), above.clip(lower=0)]
    axes.errorbar([number + shift for number in numbers], means["mean"], yerr=spread, capsize=3, **style)
    return ", ".join(f"round {number} {score(mean)}" for number, mean in zip(numbers, means["mean"], strict=True))


def organ_differences(results: Results, role: str, measure: str) -> Plot | None:
    """Each organ's paired difference, last evaluated round minus round 0; None if there is nothing to compare."""
    rounds = results.evaluated(role)
    if len(rounds) < 2:
        return None
    last = rounds[-1].number
    rows = [(organ, comparison_row(results, role, last, 0, organ.label, measure)) for organ in results.organs]
    rows = [(organ, row) for organ, row in rows if pd.notna(row["difference"])]
    if not rows:
        return None
    with canvas(3.6) as (figure, (axes,)):
        said = draw_differences(axes, ((organ.name, organ.colour, row) for organ, row in rows))
        axes.set(title=f"{measure}: round {last} − round 0, {role}", xlabel=f"difference in {measure}")
        text = svg_text(figure)
    return Plot(
        name=f"organ_differences_{measure}_{role}",
        caption=f"Paired difference in {measure} per organ with its 95 % interval, {role} scans; right of 0 is better.",
        description=f"Difference in {measure} between round {last} and round 0, {role} scans: {said}.",
        svg=text,
    )


def draw_differences(axes: Axes, rows: Iterable[tuple[str, str, pd.Series]]) -> str:
    """Draw one paired difference with its interval a line, by name and colour from above; return them in words."""
    names, said = [], []
    for place, (name, colour, row) in enumerate(rows):
        axes.plot([row["ci_low"], row["ci_high"]], [place, place], color=INK, linewidth=1)
        axes.plot(row["difference"], place, "o", color=colour, markeredgecolor=INK, markersize=7)
        names.append(name)
        said.append(f"{name} {signed(row['difference'])}")
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    return ", ".join(said)
