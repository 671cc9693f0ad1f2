"""Plots of the pseudo-labels: their confidence, and confidence against the truth where it is known."""

import numpy as np
import pandas as pd

from noisy_student.report.numbers import score
from noisy_student.report.plots import DROPPED_COLOUR, GREY, INK, KEPT_COLOUR, Plot, canvas, legend_below, svg_text
from noisy_student.report.pseudo_label_truth import (
    confidence_and_truth,
    mean_gap,
    rank_text,
    reliability,
    spearman,
)
from noisy_student.report.results import Round

BIN_WIDTHS = (0.002, 0.005, 0.01, 0.02, 0.05)
MOST_BINS = 40


def bin_edges(confidence: pd.Series) -> np.ndarray:
    """Round numbers, so that a threshold lies between two bins, at most `MOST_BINS` or 0.05 apart."""
    values = confidence.astype(float).dropna()
    low, high = (values.min(), values.max()) if len(values) else (0, 1)
    width = next((width for width in BIN_WIDTHS if (high - low) / width < MOST_BINS - 1), BIN_WIDTHS[-1])
    return np.arange(np.floor(low / width), np.floor(high / width) + 2) * width


def confidence_histogram(round_: Round) -> Plot:
    """How many cases have which confidence, kept ones and dropped ones stacked."""
    table = round_.selection
    groups = {name: table.loc[table["decision"] == name, "confidence"].astype(float) for name in ("kept", "dropped")}
    values = {name: group[np.isfinite(group)] for name, group in groups.items()}
    with canvas(2.9) as (figure, (axes,)):
        labels = [f"{name} ({len(groups[name])})" for name in values]
        _, _, bars = axes.hist(list(values.values()), bin_edges(table["confidence"]), stacked=True, label=labels,
                               color=[KEPT_COLOUR, DROPPED_COLOUR], edgecolor="white", linewidth=0.5)  # fmt: skip
        for bar in bars[1]:
            bar.set_hatch("///")
        axes.set(title=f"Confidence, round {round_.number}", xlabel="confidence", ylabel="unlabelled scans")
        axes.yaxis.get_major_locator().set_params(integer=True)
        legend_below(figure, axes)
        text = svg_text(figure)
    said = "; ".join(
        f"{len(group)} {name}, median {group.median():.3f}" for name, group in values.items() if len(group)
    )
    return Plot(
        name=f"pseudo_label_confidence_round_{round_.number}",
        caption="Distribution of the confidence that the selection used.",
        description=f"Histogram of pseudo-label confidence in round {round_.number}: {said}.",
        svg=text,
    )


def confidence_against_truth(round_: Round) -> Plot | None:
    """Confidence against true mean DSC, one point per unlabelled scan; None where no truth is known."""
    table = confidence_and_truth(round_)
    if table.empty:
        return None
    rho = rank_text(spearman(table["confidence"], table["DSC"]))
    with canvas(2.9) as (figure, (axes,)):
        for name, colour, marker in (("kept", KEPT_COLOUR, "o"), ("dropped", DROPPED_COLOUR, "^")):
            rows = table[table["decision"] == name]
            axes.scatter(rows["confidence"], rows["DSC"], c=colour, marker=marker, s=26, edgecolors=INK,
                         linewidths=0.4, label=f"{name} ({len(rows)})")  # fmt: skip
        axes.set(title=f"Confidence and truth, round {round_.number}", xlabel="confidence", ylabel="true mean DSC")
        legend_below(figure, axes)
        text = svg_text(figure)
    return Plot(
        name=f"pseudo_label_confidence_against_truth_round_{round_.number}",
        caption=f"Spearman’s ρ = {rho} over {len(table)} scans whose truth is known (never used for selection).",
        description=f"Confidence against true DSC of the pseudo-labels of round {round_.number}; "
        f"Spearman's rho {rho} over {len(table)} scans.",
        svg=text,
    )


def reliability_plot(round_: Round) -> Plot | None:
    """Mean probability of organs against their true DSC, in groups; None where no truth is known."""
    table = reliability(round_)
    if table.empty:
        return None
    gap = score(mean_gap(table["gap"], table["organs"]))
    low = float(min(table["probability"].min(), table["DSC"].min())) - 0.03
    with canvas(2.9) as (figure, (axes,)):
        axes.plot([low, 1], [low, 1], color=GREY, linewidth=0.8, linestyle="--", label="probability = DSC")
        axes.plot(table["probability"], table["DSC"], "o-", color=KEPT_COLOUR, label="organs of all pseudo-labels")
        axes.set(
            title=f"Reliability of confidence, round {round_.number}",
            xlabel="mean maximum probability",
            ylabel="true DSC",
        )
        legend_below(figure, axes)
        text = svg_text(figure)
    groups = (f"{score(row.probability)} has {score(row.DSC)}" for row in table.itertuples())
    return Plot(
        name=f"pseudo_label_reliability_round_{round_.number}",
        caption=f"{table['organs'].sum()} organs in {len(table)} groups of like number: does a surer teacher mark an "
        f"organ better? Probability and DSC are not the same thing, so the line is no calibration. Mean gap {gap}.",
        description=f"Reliability of confidence in round {round_.number}, mean probability and true DSC of each group: "
        f"{', '.join(groups)}. Mean gap {gap}.",
        svg=text,
    )
