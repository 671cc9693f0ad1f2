"""What a tracker is given of a run: each training's curves, each round's scores, settings, checksums of artefacts."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from noisy_student.fold_files import PROGRESS, RECORD
from noisy_student.recorded import judged_since
from noisy_student.running.live.rounds import place
from noisy_student.running.rows import rows

CURVES = ("training_loss", "validation_loss", "validation_dice", "learning_rate", "seconds")
SCORES = "scores"
MEAN = "0"
SHORT = 12
PREFIX = "round_"


@dataclass(frozen=True)
class Point:
    """A value at a step, an epoch or a round, and when it came to be, in seconds of Unix time."""

    step: int
    value: float
    at: float


@dataclass(frozen=True)
class Tracked:
    """A training, or the scores of all rounds. The same `identity` is the same one, also in another run or later."""

    experiment: str
    name: str
    identity: str
    settings: Mapping[str, Any]
    curves: Mapping[str, list[Point]]
    is_finished: bool
    artefacts: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Its name with its identity in short, so that one with other settings stands beside it."""
        return f"{self.name} {self.identity}"


def tracked(results: Path, rounds: Collection[str] = ()) -> Iterator[Tracked]:
    """All of a run so far, or of its `rounds` alone. An experiment is called as the folder of its results."""
    experiment = results.absolute().parent.name
    folders = {path.name.removeprefix(PREFIX): path for path in results.glob(f"{PREFIX}*")}
    folders = {name: path for name, path in folders.items() if not rounds or name in rounds}
    for record in sorted(record for path in folders.values() for record in path.glob(f"model/fold_*/{RECORD}")):
        yield _training(record, experiment)
    if (scores := _scores(results, folders, experiment)).curves:
        yield scores


def flat(settings: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """Settings with one name each, `training.epochs`, as text."""
    found: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{above}{name}.")
        else:
            found[f"{above}{name}"] = value if isinstance(value, str) else json.dumps(value)
    return found


def _identity(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:SHORT]


def _training(record: Path, experiment: str) -> Tracked:
    folder, text = record.parent, record.read_text()
    made_from = json.loads(text)
    name = f"{folder.parents[1].name} {folder.name}"
    # A round after the last one has that one's model instead of settings.
    settings = made_from.get("settings", {})
    progress = folder / PROGRESS
    table = rows(progress)
    checkpoint = folder / "checkpoint_final.pth"
    note = checkpoint.with_suffix(".sha256")
    return Tracked(
        experiment,
        name,
        _identity(experiment, name, text),
        {**settings, "made_from": made_from.get("sha256", made_from)},
        _curves(table, progress),
        len(table) == settings.get("epochs", len(table)),
        {str(checkpoint): note.read_text().strip()} if note.exists() else {},
    )


def _curves(table: tuple[Mapping[str, str], ...], path: Path) -> dict[str, list[Point]]:
    """A point an epoch. The last one ended when the table was written, each other one so long before."""
    at = path.stat().st_mtime if table else 0.0
    curves: dict[str, list[Point]] = {name: [] for name in CURVES}
    for row in reversed(table):
        for name in CURVES:
            if isfinite(value := float(row[name] or "nan")):
                curves[name].insert(0, Point(int(row["epoch"]), value, at))
        at -= float(row["seconds"])
    return {name: points for name, points in curves.items() if points}


def _scores(results: Path, folders: Mapping[str, Path], experiment: str) -> Tracked:
    curves: dict[str, list[Point]] = {}
    paths = {name: path for name, folder in folders.items() if (path := folder / "summary.tsv").exists()}
    for name in sorted(paths, key=place):
        # The student made to be deployed is no step of the chain.
        step, above = (int(name), "") if name.isdigit() else (0, f"{name}/")
        at = paths[name].stat().st_mtime
        table = rows(paths[name])
        in_sets = _in_sets(table)
        for row in table:
            if row["mean"]:
                curves.setdefault(above + _metric(row, in_sets), []).append(Point(step, float(row["mean"]), at))
    # A folder's name may be that of another one's, and its path that of a folder on another computer.
    begun = next((row.get("started") or "" for row in rows(results / "jobs.tsv")), "")
    run = _record(results / "run.json", paths.values())
    return Tracked(
        experiment,
        SCORES,
        _identity(experiment, SCORES, str(results.resolve()), begun),
        run.get("configuration", {}),
        curves,
        run.get("rounds") == sum(map(str.isdigit, paths)),
        run.get("checksums", {}),
    )


def _record(path: Path, summaries: Iterable[Path]) -> dict[str, Any]:
    """The record of the run that these are of; nothing of an earlier one, which lies there until this one has ended."""
    run = json.loads(path.read_text()) if path.exists() else {}
    return {} if judged_since(run, summaries) else run


def _in_sets(table: Sequence[Mapping[str, str]]) -> set[str]:
    """The roles that have several sets; another one's rows have the name of its only source."""
    names = {role: {row.get("set") for row in table if row["role"] == role} for role in {row["role"] for row in table}}
    return {role for role, sets in names.items() if len(sets) > 1}


def _metric(row: Mapping[str, str], in_sets: Collection[str]) -> str:
    """`test/DSC/mean`, `test/NSD/liver`; with the set where the role has several: `test/external/DSC/mean`."""
    organ = "mean" if row["label"] == MEAN else row["organ"]
    name = row["set"] if row["role"] in in_sets else ""
    return "/".join(filter(None, (row["role"], name, row["measure"], organ)))
