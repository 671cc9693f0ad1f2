"""Plots of several experiments: their means over rounds, and their differences to the baseline."""

from itertools import cycle

import pandas as pd
from matplotlib.figure import Figure

from noisy_student.report.experiments.comparison import Comparison
from noisy_student.report.experiments.tables import correction, slug
from noisy_student.report.plots import EXPERIMENT_COLOURS, EXPERIMENT_MARKERS, Plot, canvas, in_plot, svg_text
from noisy_student.report.result_plots import draw_differences, draw_over_rounds

# Along the axis of rounds: between neighbours, and of all experiments at most.
APART, SPREAD = 0.1, 0.6
LINE_INCH = 0.3
LONGEST_NAME, LONGEST_TITLE = 22, 56


def over_rounds(comparison: Comparison, role: str, measure: str) -> Plot:
    """The mean over organs of every round, with its interval, one line per experiment."""
    experiments = comparison.experiments
    numbers = sorted({number for rounds in comparison.scores.values() for number in rounds})
    rows = -(-len(experiments) // 2)
    width = min(APART * (len(experiments) - 1), SPREAD)
    styles = zip(cycle(EXPERIMENT_COLOURS), cycle(EXPERIMENT_MARKERS), strict=False)
    said = []
    with canvas(2.7 + 0.2 * rows) as (figure, (axes,)):
        for place, (experiment, (colour, marker)) in enumerate(zip(experiments, styles, strict=False)):
            shift = width * (place / (len(experiments) - 1) - 0.5)
            means = [comparison.mean(experiment.name, n, role, measure) for n in comparison.scores[experiment.name]]
            line = draw_over_rounds(
                axes, list(comparison.scores[experiment.name]), pd.DataFrame(means), shift,
                color=colour, marker=marker, markersize=5, linewidth=1.2, label=str(place),
            )  # fmt: skip
            said.append(f"{experiment.name}: {line}.")
        axes.set(xlabel="round (0: teacher)", ylabel=f"mean {measure}")
        axes.set_xlim(min(numbers) - 0.4, max(numbers) + 0.4)
        axes.set_xticks(numbers)
        _title(figure, f"Mean {measure} over rounds, {role}")
        # Written afterwards, since matplotlib leaves labels that begin with an underscore out of a legend.
        legend = figure.legend(loc="outside lower left", ncols=2)
        for text, experiment in zip(legend.get_texts(), experiments, strict=True):
            text.set_text(in_plot(experiment.name, LONGEST_NAME))
        drawn = svg_text(figure)
    return Plot(
        name=f"mean_{measure}_{slug(role)}",
        caption=f"Mean {measure} over organs and the {comparison.scans_of(role)} shared {role} scans"
        + (" with its 95 % interval." if comparison.has_intervals(role) else "; too few for intervals."),
        description=f"Mean {measure} over rounds, {role} scans. {' '.join(said)}",
        svg=drawn,
    )


def last_differences(comparison: Comparison, role: str, measure: str) -> Plot:
    """The last round of every other experiment minus the baseline's last round."""
    rows = [
        (experiment.name, EXPERIMENT_COLOURS[place % len(EXPERIMENT_COLOURS)],
         comparison.difference(experiment.name, comparison.last_pair(experiment), role, measure))
        for place, experiment in enumerate(comparison.others, 1)
    ]  # fmt: skip
    baseline = comparison.baseline.name
    with canvas(1.1 + LINE_INCH * len(rows)) as (figure, (axes,)):
        said = draw_differences(axes, rows, LONGEST_NAME)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel(f"difference in {measure}")
        _title(figure, f"{measure}: last round − last of {baseline}, {role}")
        drawn = svg_text(figure)
    spread, tested = ", too few scans for an interval", ""
    if comparison.has_intervals(role):
        spread = " with its 95 % interval"
        tested = f" The table of differences has the p-values, {correction(comparison)}."
    return Plot(
        name=f"last_difference_{measure}_{slug(role)}",
        caption=f"Paired difference in {measure} of the last rounds{spread}; right of 0 is better than {baseline}."
        + tested,
        description=f"Difference in {measure} to the last round of {baseline}, {role} scans: {said}.",
        svg=drawn,
    )


def _title(figure: Figure, title: str) -> None:
    figure.suptitle(in_plot(title, LONGEST_TITLE), x=0.01, ha="left", fontsize=10, fontweight="bold")
