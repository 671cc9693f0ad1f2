"""Plots and table of the training: loss and validation Dice over epochs, one figure per round."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from noisy_student.report.numbers import count, duration
from noisy_student.report.plots import INK, Plot, canvas, svg_text
from noisy_student.report.results import Results, Round
from noisy_student.report.table import Table, plain

FOLD_COLOURS = ("#1f4e79", "#b3541e", "#2e7d5b", "#7b5fb0", "#8a6d00")
LINE_WIDTH = 1.0


def training_curves(round_: Round) -> Plot:
    """Training and validation loss above, validation Dice below, one colour per fold."""
    with canvas(3.9, rows=2) as (figure, (loss, dice)):
        for fold, progress in round_.training.items():
            style = {"color": FOLD_COLOURS[fold % len(FOLD_COLOURS)], "linewidth": LINE_WIDTH}
            loss.plot(progress["epoch"], progress["training_loss"], **style)
            loss.plot(progress["epoch"], progress["validation_loss"], "--", **style)
            dice.plot(progress["epoch"], progress["validation_dice"], label=f"fold {fold}", **style)
        loss.set(title=f"Training, {round_.name}", ylabel="loss")
        dice.set(xlabel="epoch", ylabel="validation Dice")
        dice.set_ylim(bottom=0)
        dice.xaxis.get_major_locator().set_params(integer=True)
        _explain_lines(figure, dice if len(round_.training) > 1 else None)
        text = svg_text(figure)
    said = f"{round_.name.capitalize()}: {_in_words(round_)}."
    return Plot(
        name=f"training_curves_{round_.folder.name}",
        caption=said,
        description=f"Loss and validation Dice over epochs. {said}",
        svg=text,
    )


def _explain_lines(figure: Figure, folds: Axes | None) -> None:
    """Below the axes, where it covers no curve."""
    lines = [Line2D([], [], color=INK, linestyle=style, linewidth=LINE_WIDTH) for style in ("-", "--")]
    of_folds, names = folds.get_legend_handles_labels() if folds else ([], [])
    figure.legend([*lines, *of_folds], ["training", "validation", *names], loc="outside lower left", ncols=4)


def _in_words(round_: Round) -> str:
    folds = [table for table in round_.training.values() if len(table)]
    if not folds:
        return "no epoch yet"
    lengths = sorted({len(table) for table in folds})
    seconds = pd.concat(table["seconds"] for table in folds).mean()
    dice = [table["validation_dice"].iloc[-1] for table in folds]
    span = f"{min(dice):.3f}" if len(folds) == 1 else f"{min(dice):.3f} to {max(dice):.3f}"
    return (
        f"{count(len(folds), 'fold')} of {' / '.join(map(str, lengths))} epochs, {duration(seconds)} an epoch, "
        f"last validation Dice {span}"
    )


def trainings(results: Results) -> Table:
    """One row per round and fold."""
    rows = [
        {"round": round_.called, "fold": fold, **_facts(table)}
        for round_ in results.chain
        for fold, table in round_.training.items()
        if len(table)
    ]
    columns = ["round", "fold", "epochs", "seconds an epoch", "learning rate, first", "last", "training loss, last",
               "validation loss, last", "validation Dice, last", "best"]  # fmt: skip
    data = pd.DataFrame(rows, columns=columns)
    return plain("trainings", "Every training", "First and last epochs from the training logs.", data)


def _facts(table: pd.DataFrame) -> dict[str, object]:
    first, last = table.iloc[0], table.iloc[-1]
    return {
        "epochs": len(table),
        "seconds an epoch": f"{table['seconds'].mean():.1f}",
        "learning rate, first": f"{first['learning_rate']:.3g}",
        "last": f"{last['learning_rate']:.3g}",
        "training loss, last": f"{last['training_loss']:.3f}",
        "validation loss, last": f"{last['validation_loss']:.3f}",
        "validation Dice, last": f"{last['validation_dice']:.3f}",
        "best": f"{table['validation_dice'].max():.3f}",
    }
