"""Which trainings a run would begin anew, and why, and which it takes back: said before it begins."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noisy_student.configuration.experiment import Configuration
from noisy_student.fold_files import PROGRESS, RECORD
from noisy_student.keeping.aside import (
    as_now,
    aside_of_fold,
    checkpoints,
    refuse_damaged_record,
    refuse_foreign_checkpoints,
    refuse_links,
    short,
)
from noisy_student.keeping.depends import DEPENDS, Depends, differences, settings_in_words

SECONDS_PER_HOUR = 3600
UNLESS = ", unless what it learns from turns out the same"
HEADING = "Trainings that are there, and are wanted with other settings or data (nothing is deleted):"


@dataclass(frozen=True)
class Training:
    """What a fold's folder says of its training: what it is, was made from, and how many epochs it took in how long."""

    folder: Path
    identity: str
    made_from: dict[str, Any]
    epochs: int
    seconds: float

    @classmethod
    def in_folder(cls, folder: Path) -> "Training | None":
        """The training of a fold's folder, if there is one that says what it depends on."""
        try:
            identity = as_now((folder / RECORD).read_text())
            settings = json.loads(identity)["settings"]
            depends = json.loads((folder / DEPENDS).read_text())
        except (OSError, ValueError, KeyError):
            return None
        epochs, seconds = _progress(folder / PROGRESS)
        return cls(folder, identity, depends | settings_in_words(settings), epochs, seconds)

    @property
    def place(self) -> tuple[str, int]:
        """Its round, as its folder has it, and fold."""
        return self.folder.parents[1].name.removeprefix("round_"), int(self.folder.name.removeprefix("fold_"))

    @property
    def name(self) -> str:
        """Its round and fold in words."""
        round_, fold = self.place
        return f"round {round_}, fold {fold}"

    @property
    def cost(self) -> str:
        """What it took so far."""
        hours = self.seconds / SECONDS_PER_HOUR
        took = f"{hours:.1f} h" if hours >= 1 else f"{self.seconds / 60:.1f} min"
        return f"{self.epochs} epoch{'s' * (self.epochs != 1)} in {took}"


def _progress(path: Path) -> tuple[int, float]:
    if not path.exists():
        return 0, 0.0
    with path.open(newline="") as stream:
        seconds = [float(row["seconds"]) for row in csv.DictReader(stream, delimiter="\t")]
    return len(seconds), sum(seconds)


def in_words(configuration: Configuration, depends: Depends, results: Path) -> list[str]:
    """A line for each training that is there but of other settings or data than wanted; none where nothing changed."""
    lines: list[str] = []
    # Rounds whose training is, or may turn out to be, what is wanted: the next one's teacher may be the same.
    may_stay: set[int] = set()
    for number in configuration.trainings:
        folds = dict(_folds_of(number, configuration, depends, results))
        found = [(training, wanted) for folder, wanted in folds.items() if (training := Training.in_folder(folder))]
        others = [(training, wanted) for training, wanted in found if training.made_from != wanted]
        are_open = [_may_stay(training.made_from, wanted, number - 1 in may_stay) for training, wanted in others]
        lines += [_line(*other, UNLESS if is_open else "") for other, is_open in zip(others, are_open, strict=True)]
        # With other folds it is another teacher.
        model = results / f"round_{configuration.called(number)}/model"
        if all(are_open) and set(folds) == {*filter(Training.in_folder, model.glob("fold_*"))}:
            may_stay.add(number)
    return [HEADING, *(f"  {line}" for line in lines)] if lines else []


def kept_in_words(
    configuration: Configuration, depends: Depends, results: Path, finished: Mapping[str, str]
) -> list[str]:
    """What stays where scans have changed since a run was `finished` (role → state): Snakemake lists its jobs too."""
    changed = [role for role, state in finished.items() if depends.scans(role) != state]
    kept = [training.name for training in as_wanted(configuration, depends, results)]
    if not changed or not kept:
        return []
    return [
        f"Other {' and '.join(changed)} scans than before. Kept, though listed as jobs, as it does not depend on them:",
        f"  the training of {'; '.join(kept)}; label maps by the same model of the same scan",
    ]


def as_wanted(configuration: Configuration, depends: Depends, results: Path) -> list[Training]:
    """The trainings that are there, to their end or not, and are wanted as they are."""
    found = [(Training.in_folder(folder), wanted) for folder, wanted in _folds(configuration, depends, results)]
    return [training for training, wanted in found if training and training.made_from == wanted]


def refuse_foreign(configuration: Configuration, depends: Depends, results: Path) -> None:
    """Raise InputError where a job would replace checkpoints of another origin, or write through a link.

    Snakemake deletes what a job makes before the job begins. A link to a training that is wanted as it is may stay.
    """
    for folder, wanted in _folds(configuration, depends, results):
        if not checkpoints(folder):
            continue
        refuse_damaged_record(folder)
        training = Training.in_folder(folder)
        if training is None or training.made_from != wanted:
            refuse_links(folder)
        refuse_foreign_checkpoints(folder)


def not_as_wanted(configuration: Configuration, depends: Depends, results: Path) -> set[str]:
    """The names of the rounds' folders from the first one on whose training, as it is there, is of something else."""
    numbers = [number for number in configuration.trainings if _is_of_another(number, configuration, depends, results)]
    last = len(configuration.chain)
    return {f"round_{configuration.called(number)}" for number in range(min(numbers, default=last), last)}


def _is_of_another(number: int, configuration: Configuration, depends: Depends, results: Path) -> bool:
    folds = _folds_of(number, configuration, depends, results)
    found = [(Training.in_folder(folder), wanted) for folder, wanted in folds]
    return any(training and training.made_from != wanted for training, wanted in found)


def _folds(configuration: Configuration, depends: Depends, results: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each fold's folder, and what its training is to be made from."""
    for number in configuration.trainings:
        yield from _folds_of(number, configuration, depends, results)


def _folds_of(
    number: int, configuration: Configuration, depends: Depends, results: Path
) -> Iterator[tuple[Path, dict[str, Any]]]:
    wanted = depends.training(number) | settings_in_words(configuration.training_of(number))
    for fold in configuration.folds_of(number):
        yield results / f"round_{configuration.called(number)}/model/fold_{fold}", json.loads(json.dumps(wanted))


def _may_stay(before: Mapping[str, Any], now: Mapping[str, Any], teacher_may_stay: bool) -> bool:
    """Whether nothing differs but the state of scans, which changes too where they are only called otherwise.

    Nor does another teacher count that may be the same: the rules for a collapse and an early end choose which it is.
    """
    names = [name for name in {*before, *now} if before.get(name) != now.get(name)]
    return all(name.endswith("scans") or (name == "its teacher" and teacher_may_stay) for name in names)


def _line(training: Training, wanted: dict[str, Any], unless: str) -> str:
    why = "; ".join(differences(training.made_from, wanted))
    found = filter(None, map(Training.in_folder, aside_of_fold(training.folder).glob("*")))
    # One that lies there under an earlier form of its identity stays.
    aside = [kept for kept in found if kept.folder.name == short(kept.identity)]
    back = next((kept for kept in aside if kept.made_from == wanted), None)
    if back:
        return f"{training.name}: taken back from {back.folder}, {back.cost} ({why})"
    return f"{training.name}: begins anew{unless} ({why}); the one there, {training.cost}, is set aside"
