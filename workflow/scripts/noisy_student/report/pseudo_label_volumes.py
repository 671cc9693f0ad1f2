"""Each organ's volume in the pseudo-labels that were kept, beside the labelled scans'."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from noisy_student.report.plots import GREY, INK, LONGEST_ORGAN, Plot, canvas, height_of, in_plot, svg_text
from noisy_student.report.results import Results, Round
from noisy_student.sizes import three_digits


def kept_organs(round_: Round) -> pd.DataFrame:
    """The scores of the organs that a student learns from: of kept scans, without masked organs."""
    masked = {(case, organ) for case, organs in masked_organs(round_.kept).items() for organ in organs}
    table = round_.pseudo_label_scores[round_.pseudo_label_scores["case"].isin(round_.kept["case"])]
    used = [pair not in masked for pair in zip(table["case"], table["organ"], strict=True)]
    return table[pd.Series(used, index=table.index, dtype=bool)]


def masked_organs(selection: pd.DataFrame) -> dict[str, list[str]]:
    """Case → names of its organs that are left out of the loss."""
    named = selection.dropna(subset="masked")
    return {row.case: row.masked.split(", ") for row in named.itertuples() if row.masked}


def volumes(results: Results, round_: Round) -> Plot | None:
    """Median, quartiles and range of each organ's volume, kept above labelled; None where one of both is unknown."""
    kept, labelled = _volumes(kept_organs(round_)), _volumes(results.labelled_measures)
    if kept.empty or labelled.empty:
        return None
    said = []
    with canvas(height_of(len(results.organs), 4.2)) as (figure, (axes,)):
        for place, organ in enumerate(results.organs):
            ours, theirs = kept[kept["label"] == organ.label], labelled[labelled["label"] == organ.label]
            _spread(axes, place - 0.17, ours["volume_ml"], organ.colour, INK)
            _spread(axes, place + 0.2, theirs["volume_ml"], "white", GREY)
            medians = [three_digits(rows["volume_ml"].median()) if len(rows) else "none" for rows in (ours, theirs)]
            said.append(f"{organ.name} {medians[0]} and {medians[1]}")
        names = [in_plot(organ.name, LONGEST_ORGAN) for organ in results.organs]
        axes.set_yticks(range(len(results.organs)), names)
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set(title=f"Volumes, round {round_.number}", xlabel="volume, ml")
        text = svg_text(figure)
    return Plot(
        name=f"pseudo_label_volumes_round_{round_.number}",
        caption=f"Filled: kept pseudo-labels ({kept['case'].nunique()} scans); hollow: labelled scans "
        f"({labelled['case'].nunique()}). Median, quartiles (thick) and range.",
        description=f"Median volume in ml per organ, kept pseudo-labels of round {round_.number} and labelled scans: "
        f"{'; '.join(said)}.",
        svg=text,
    )


def _volumes(table: pd.DataFrame) -> pd.DataFrame:
    present = table[table["volume_ml"].astype(float) > 0]
    return present.astype({"volume_ml": float})


def _spread(axes: Axes, place: float, values: pd.Series, fill: str, line: str) -> None:
    if values.empty:
        return
    low, first, middle, third, high = values.quantile([0, 0.25, 0.5, 0.75, 1])
    axes.plot([low, high], [place, place], color=line, linewidth=0.8)
    axes.plot([first, third], [place, place], color=line, linewidth=2.6, solid_capstyle="butt")
    axes.plot(middle, place, "o", color=fill, markeredgecolor=line, markersize=5.5)
