"""Is a teacher as often right as it is sure? Voxel by voxel, where the truth of unlabelled scans is known.

Measures are those of C. Guo et al., On calibration of modern neural networks, ICML 2017.
"""

import pandas as pd

from noisy_student.report.numbers import MISSING, magnitude, score, signed
from noisy_student.report.plots import GREY, KEPT_COLOUR, ROLE_COLOURS, Plot, canvas, legend_below, svg_text
from noisy_student.report.pseudo_label_truth import mean_gap
from noisy_student.report.results import Results, Round
from noisy_student.report.table import Cell, Table

BIN_PERCENT = 5
# As `model/voxel_confidence.py` has it: passes differ; 1 says it of a model from elsewhere that may be undecided.
DIFFERING = (0, 1)
# A bin of fewer voxels has no point in the diagram.
FEWEST_DRAWN = 100
OF_A_VOTE = (
    "Where several models from elsewhere vote, it is no probability but the mean of their confidences, of which the "
    "overruled count with 0."
)
GROUPS = {"organs": ("o-", KEPT_COLOUR), "background": ("s--", ROLE_COLOURS["validation"])}


def is_vote(results: Results, round_: Round) -> bool:
    """Whether models from elsewhere that vote labelled for a round."""
    before = results.rounds[round_.number - 1]
    return results.rounds[before.verdict.get("labeller", before.number)].verdict.get("together") == "vote"


def group(round_: Round, name: str) -> pd.DataFrame:
    """The rows of a round's table of voxels that the teacher labelled as some organ, or as background."""
    table = round_.pseudo_label_calibration
    return table[(table["label"] == 0) == (name == "background")]


def bins(rows: pd.DataFrame) -> pd.DataFrame:
    """Bins of confidence: `voxels`, their mean `probability`, the share that is `right`; where passes differ is none.

    A probability is known in whole per cent, rounded down, and taken as half a per cent more.
    """
    rows = rows[~rows["confidence"].isin(DIFFERING)]
    percent = rows["confidence"].astype(float)
    sums = pd.DataFrame(
        {
            "voxels": rows["voxels"],
            "probability": rows["voxels"] * (percent + 0.5).clip(upper=100) / 100,
            "right": rows["right"],
        }
    ).groupby(percent.clip(upper=99) // BIN_PERCENT).sum()  # fmt: skip
    shares = sums[["probability", "right"]].div(sums["voxels"], axis=0)
    return shares.assign(voxels=sums["voxels"]).reset_index(drop=True)


def calibration_error(table: pd.DataFrame) -> float:
    """Guo's expected calibration error: the mean over voxels of their bin's gap between probability and share right."""
    return mean_gap(table["probability"] - table["right"], table["voxels"])


def calibration(results: Results) -> Table | None:
    """How far probabilities are from shares, per round; None where no truth is known."""
    data = pd.DataFrame([_row(r, name) for r in results.rounds for name in GROUPS if len(group(r, name))])
    if data.empty:
        return None
    columns = ["round", "labelled as", "voxels", "mean probability", "share right", "difference",
               "expected calibration error", "of voxels, passes differ", "share right there"]  # fmt: skip
    rows = [
        [
            Cell(str(row.round)),
            Cell(row.labelled_as),
            Cell(magnitude(row.voxels)),
            *(Cell(score(value)) for value in (row.probability, row.right)),
            Cell(signed(row.probability - row.right)),
            Cell(score(row.expected_calibration_error)),
            Cell(f"{row.differing_share:.1%}" if row.differing_share else MISSING),
            Cell(score(row.differing_right)),
        ]
        for row in data.itertuples()
    ]
    caption = (
        f"{_what_counts(results)} A positive difference is overconfidence. Expected calibration error (Guo et al., "
        f"ICML 2017): over {100 // BIN_PERCENT} bins, the mean over voxels of the gap between probability and share "
        "right; up to 0.005 of it may be the rounding of probabilities to whole per cent. Where passes (networks or "
        "mirrored copies) differ, confidence is 0, which is no probability: these voxels are counted apart."
    )
    return Table("pseudo_label_calibration", "Calibration of voxels", caption, columns, rows, data)


def _row(round_: Round, name: str) -> dict[str, object]:
    rows = group(round_, name)
    table, differing = bins(rows), rows[rows["confidence"].isin(DIFFERING)]
    apart, agreed = int(differing["voxels"].sum()), int(table["voxels"].sum())
    means = (table[["probability", "right"]].mul(table["voxels"], axis=0)).sum() / max(agreed, 1)
    return {
        "round": round_.number,
        "labelled_as": name,
        "voxels": agreed,
        "probability": means["probability"] if agreed else float("nan"),
        "right": means["right"] if agreed else float("nan"),
        "expected_calibration_error": calibration_error(table),
        "differing_share": apart / (apart + agreed),
        "differing_right": differing["right"].sum() / apart if apart else float("nan"),
    }


def _what_counts(results: Results) -> str:
    voted = f" {OF_A_VOTE}" if any(is_vote(results, round_) for round_ in results.rounds if round_.number) else ""
    return (
        "Voxels of the grid of the student’s network, inside of the crop; probability is that of the most probable "
        f"class of the mean logits over folds, their voices and mirrored copies.{voted} The truth was never "
        "used for selection."
    )


def calibration_plot(results: Results, round_: Round) -> Plot | None:
    """The reliability diagram of a round: probability against the share of voxels that is right; None without truth."""
    tables = {name: bins(group(round_, name)) for name in GROUPS}
    errors = {name: score(calibration_error(table)) for name, table in tables.items() if len(table)}
    if not errors:
        return None
    drawn = {name: tables[name][tables[name]["voxels"] >= FEWEST_DRAWN] for name in errors}
    voted = f" {OF_A_VOTE}" if is_vote(results, round_) else ""
    with canvas(2.9) as (figure, (axes,)):
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":", label="calibrated")
        for name, table in drawn.items():
            style, colour = GROUPS[name]
            axes.plot(table["probability"], table["right"], style, color=colour, markersize=4, linewidth=1,
                      label=f"labelled as {'an organ' if name == 'organs' else name}")  # fmt: skip
        axes.set(
            title=f"Calibration of voxels, round {round_.number}",
            xlabel="probability of the label",
            ylabel="share of voxels right",
            xlim=(0, 1.02),
            ylim=(0, 1.02),
        )
        legend_below(figure, axes)
        text = svg_text(figure)
    said = ", ".join(f"{error} ({name})" for name, error in errors.items())
    points = "; ".join(
        f"{name}: " + ", ".join(f"{score(row.probability)} has {score(row.right)}" for row in table.itertuples())
        for name, table in drawn.items()
    )
    return Plot(
        name=f"pseudo_label_calibration_round_{round_.number}",
        caption=f"A point is a bin of {BIN_PERCENT} %: of all voxels of scans whose truth is known, to whose label "
        "the teacher gave a probability in the bin, the mean probability and the share that is right; bins of fewer "
        f"than {FEWEST_DRAWN} voxels have none. Below the line the teacher is surer than it is right. Expected "
        f"calibration error {said}. Voxels on which passes differ have no probability and are left out.{voted}",
        description=f"Reliability diagram of round {round_.number}, probability and share of voxels right. {points}. "
        f"Expected calibration error {said}.",
        svg=text,
    )
