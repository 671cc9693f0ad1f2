"""Trainings and label maps set aside under their identity when others come, and taken back when they are wanted again.

`results/superseded/` has them where they lay, in folders by identity: `round_<k>/model/fold_<f>/<identity>/`,
`round_<k>/pseudo_labels/<model>/`. A training's `training.json` tells whose
a folder's files are, so it leaves a folder last and enters one first: a move that is cut short is ended by the next.
"""

import hashlib
import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from noisy_student.errors import InputError
from noisy_student.files import only_one, remove_unfinished, write_text
from noisy_student.fold_files import RECORD
from noisy_student.model.trust import is_replaced

SUPERSEDED = "superseded"
SHORT = 12


def short(identity: str) -> str:
    """An identity as a folder's name."""
    return hashlib.sha256(identity.encode()).hexdigest()[:SHORT]


def as_now(identity: str) -> str:
    """A training's identity as it is written now; once it had how often a training is saved, which changes nothing."""
    try:
        content = json.loads(identity)
        del content["settings"]["checkpoint_every_epochs"]
    except (ValueError, KeyError, TypeError):
        return identity
    return json.dumps(content, indent=2, sort_keys=True)


def aside_of_fold(folder: Path) -> Path:
    """Where what a fold's folder, `results/round_<k>/<model>/fold_<f>`, held before is kept."""
    return _aside(folder, folder.parents[2])


def aside_of_labels(folder: Path) -> Path:
    """The same of a folder of label maps, `results/round_<k>/<folder>`."""
    return _aside(folder, folder.parents[1])


def _aside(folder: Path, results: Path) -> Path:
    return results / SUPERSEDED / folder.relative_to(results)


def settle(folder: Path, identity: str, formerly: str = "") -> None:
    """Make a fold's folder that of the training `identity`: another one's files are set aside, its own come back.

    What lies there as that of the identity `formerly`, in an earlier form, is this training, too.
    Raises InputError where the folder is a link, its record is damaged, or it has checkpoints of no training of this
    workflow.
    """
    refuse_links(folder)
    refuse_damaged_record(folder)
    remove_unfinished(folder)
    record, aside = folder / RECORD, aside_of_fold(folder)
    if record.exists() and (other := as_now(record.read_text())) not in (identity, formerly):
        print(f"{folder} is of a training with other settings or data: set aside in {aside / short(other)}", flush=True)
        _move(folder, aside / short(other))
    if _has_files(kept := aside / short(identity)):
        print(f"{kept} is this very training: taken back", flush=True)
        if (kept / RECORD).exists():
            _move_file(kept / RECORD, record)
        _move(kept, folder)
        _remove_if_empty(kept)
    refuse_foreign_checkpoints(folder)
    if not record.exists() or record.read_text() != identity:
        write_text(record, identity)


def set_aside_other_folds(model: Path, folds: Collection[int]) -> list[Path]:
    """Of a round's model folder, set aside the trainings of other folds than these, which would label with them.

    Returns their folders. What a process works in, or no training of this workflow wrote, stays.
    """
    moved = []
    for folder in sorted(model.glob("fold_*")):
        record = folder / RECORD
        if folder.name in {f"fold_{fold}" for fold in folds} or folder.is_symlink() or not record.exists():
            continue
        with suppress(InputError), only_one(folder / ".lock"):
            refuse_damaged_record(folder)
            _move(folder, aside_of_fold(folder) / short(as_now(record.read_text())))
            moved.append(folder)
    return moved


def refuse_links(folder: Path) -> None:
    """Raise InputError where a fold's folder, its model's or its round's is a link: nothing is written through one."""
    for part in (folder, *folder.parents[:2]):
        if part.is_symlink():
            raise InputError(
                f"a folder of the run's own for the training, {folder}",
                f"{part} is a link to {part.readlink()}",
                "take the link away; to label with that model name it in the configuration, rounds: - {model: PATH}",
            )


def refuse_damaged_record(folder: Path) -> None:
    """Raise InputError where a fold's folder does not tell any more of which training it is."""
    record = folder / RECORD
    if not record.exists():
        return
    try:
        json.loads(record.read_text())
    except ValueError:
        raise InputError(
            f"what the training in {folder} is made from, as JSON in {record}",
            f"{record.stat().st_size} bytes that are no JSON, as a power cut may leave them",
            f"put the file back from a copy; or move {folder} away and start again: this fold is then trained anew",
        ) from None


def refuse_foreign_checkpoints(folder: Path) -> None:
    """Raise InputError where a fold's folder has a checkpoint that no training of this workflow wrote."""
    foreign = checkpoints(folder)
    if (folder / RECORD).exists():
        foreign = [path for path in foreign if is_replaced(path)]
    if foreign:
        raise InputError(
            f"a folder for this training, {folder}",
            f"{', '.join(path.name for path in foreign)}, which no training of this workflow wrote",
            "move it away; to go on from a model of your own name it in the configuration: rounds: - {model: PATH}",
        )


def checkpoints(folder: Path) -> list[Path]:
    """Every checkpoint in a fold's folder."""
    return sorted(folder.glob("checkpoint_*.pth"))


def _move(source: Path, target: Path) -> None:
    """Move what lies in a folder, the record last; locks and other hidden files stay."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("[!.]*"), key=lambda path: path.name == RECORD):
        if path.is_dir():
            _move(path, target / path.name)
            _remove_if_empty(path)
        else:
            _move_file(path, target / path.name)


def _has_files(folder: Path) -> bool:
    """Whether there is something to be moved: hidden files that others left (`.DS_Store`) stay."""
    return any(not path.is_dir() for path in folder.rglob("[!.]*"))


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _move_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)
