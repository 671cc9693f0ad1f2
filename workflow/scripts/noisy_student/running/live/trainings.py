"""How far trainings are, by the tables that they write at each epoch's end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from statistics import mean

from noisy_student.fold_files import PROGRESS
from noisy_student.running.live.rounds import place
from noisy_student.running.rows import rows

LATEST = 5
COLUMNS = ("training_loss", "validation_loss", "validation_dice", "seconds")


@dataclass(frozen=True)
class Length:
    """How long the trainings of a round are to be, and of which network."""

    network: str
    epochs: int
    iterations: int

    @property
    def steps(self) -> int:
        """Training steps in all."""
        return self.epochs * self.iterations


@dataclass(frozen=True)
class Training:
    """A training so far: one value an epoch, in the order of `COLUMNS`."""

    round: str
    fold: int
    length: Length
    training_loss: Sequence[float]
    validation_loss: Sequence[float]
    validation_dice: Sequence[float]
    seconds: Sequence[float]

    @property
    def epochs(self) -> int:
        """How many have ended."""
        return len(self.seconds)

    @property
    def seconds_left(self) -> float | None:
        """Of its epochs, by the last ones; unknown before the first has ended."""
        return (self.length.epochs - self.epochs) * mean(self.seconds[-LATEST:]) if self.seconds else None

    @property
    def is_lost(self) -> bool:
        """Whether the loss is no number any more."""
        return bool(self.seconds) and not isfinite(self.training_loss[-1])


def trainings(results: Path, lengths: Mapping[str, Length]) -> list[Training]:
    """All of a run that have begun, by round and fold."""
    found = []
    for name, length in lengths.items():
        for path in (results / f"round_{name}/model").glob(f"fold_*/{PROGRESS}"):
            columns = [[float(row[column] or "nan") for row in rows(path)] for column in COLUMNS]
            found.append(Training(name, int(path.parent.name.removeprefix("fold_")), length, *columns))
    return sorted(found, key=lambda training: (place(training.round), training.fold))


def seconds_a_step(done: Sequence[Training]) -> dict[str, float]:
    """What a training step has taken so far, by network."""
    took: dict[str, list[tuple[float, int]]] = {}
    for training in done:
        if training.seconds:
            steps = training.epochs * training.length.iterations
            took.setdefault(training.length.network, []).append((sum(training.seconds), steps))
    return {network: sum(s for s, _ in all_) / sum(n for _, n in all_) for network, all_ in took.items()}
