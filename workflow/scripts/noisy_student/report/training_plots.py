"""Plots of the training: loss and validation Dice over epochs, one figure per round."""

from noisy_student.report.numbers import duration
from noisy_student.report.plots import Plot, canvas, svg_text
from noisy_student.report.results import Round

FOLD_COLOURS = ("#1f4e79", "#b3541e", "#2e7d5b", "#7b5fb0", "#8a6d00")


def training_curves(round_: Round) -> Plot:
    """Training and validation loss above, validation Dice below, one colour per fold."""
    several = len(round_.training) > 1
    with canvas(3.6, rows=2) as (figure, (loss, dice)):
        for fold, progress in round_.training.items():
            colour = FOLD_COLOURS[fold % len(FOLD_COLOURS)]
            name = f", fold {fold}" if several else ""
            loss.plot(progress["epoch"], progress["training_loss"], color=colour, label=f"training{name}")
            loss.plot(progress["epoch"], progress["validation_loss"], "--", color=colour, label=f"validation{name}")
            dice.plot(progress["epoch"], progress["validation_dice"], color=colour)
        loss.set(title=f"Training, {round_.name}", ylabel="loss")
        loss.legend(ncols=2 if several else 1)
        dice.set(xlabel="epoch", ylabel="validation Dice")
        dice.set_ylim(bottom=0)
        text = svg_text(figure)
    return Plot(
        name=f"training_curves_round_{round_.number}",
        caption=f"{round_.name.capitalize()}: {'; '.join(_facts(round_))}.",
        description=f"Loss and validation Dice over epochs, {round_.name}. {'; '.join(_facts(round_))}.",
        svg=text,
    )


def _facts(round_: Round) -> list[str]:
    return [
        f"fold {fold}: {len(table)} epochs of {duration(table['seconds'].mean())}, learning rate "
        f"{table['learning_rate'].iloc[0]:.3g} to {table['learning_rate'].iloc[-1]:.3g}, last validation Dice "
        f"{table['validation_dice'].iloc[-1]:.3f}"
        for fold, table in round_.training.items()
        if len(table)
    ]
