"""Plots of the results: DSC and NSD over rounds, and each organ's difference between first and last round."""

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
    numbers = [round_.number for round_ in rounds]
    below, above = table["mean"] - table["ci_low"], table["ci_high"] - table["mean"]
    axes.errorbar(
        [number + shift for number in numbers],
        table["mean"],
        yerr=[below.clip(lower=0), above.clip(lower=0)],
        color=ROLE_COLOURS[role],
        marker=ROLE_MARKERS[role],
        linestyle="-" if role == "test" else "--",
        capsize=3,
        label=f"{role} (n = {table['n'].iloc[0]:.0f})",
    )
    values = (f"round {number} {score(mean)}" for number, mean in zip(numbers, table["mean"], strict=True))
    return f"{role.capitalize()}: {', '.join(values)}."


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
        for place, (organ, row) in enumerate(rows):
            axes.plot([row["ci_low"], row["ci_high"]], [place, place], color=INK, linewidth=1)
            axes.plot(row["difference"], place, "o", color=organ.colour, markeredgecolor=INK, markersize=7)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(range(len(rows)), [organ.name for organ, _ in rows])
        axes.invert_yaxis()
        axes.set(title=f"{measure}: round {last} − round 0, {role}", xlabel=f"difference in {measure}")
        text = svg_text(figure)
    said = (f"{organ.name} {signed(row['difference'])}" for organ, row in rows)
    return Plot(
        name=f"organ_differences_{measure}_{role}",
        caption=f"Paired difference in {measure} per organ with its 95 % interval, {role} scans; right of 0 is better.",
        description=f"Difference in {measure} between round {last} and round 0, {role} scans: {', '.join(said)}.",
        svg=text,
    )
