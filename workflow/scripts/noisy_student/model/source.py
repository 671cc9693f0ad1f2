"""A model as it comes from elsewhere: a folder of nnU-Net v2, or a zip that has one. Nothing is written there.

Neither torch nor nnU-Net is needed, and nothing of the model runs: so it can be looked at before it is trusted.
"""

import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from noisy_student.errors import InputError, last_line
from noisy_student.files import whole_file
from noisy_student.model.checkpoint_names import ENTRIES, FINAL_CHECKPOINT, MIRRORING, folds_among
from noisy_student.model.inert import said_by
from noisy_student.model.kind import LEFT_RIGHT, SUPPORTED, configuration_in, describes, grid, labels_of, unsupported

DESCRIPTIONS = PLANS, DATASET = "plans.json", "dataset.json"
REMEDY = "name a model folder of nnU-Net v2 (plans.json, dataset.json, fold_*/checkpoint_final.pth), or a zip of one"


@dataclass(frozen=True)
class Said:
    """What a checkpoint says of itself: which of the plans' configurations it was trained with, which axes of its
    network's scans may be mirrored."""

    configuration: str
    mirror_axes: tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """Where a model lies, and what of its files is needed: names of its folds' folders, plans and description.

    `inside` is where in a zip the model's folder is, empty or ending in `/`.
    """

    path: Path
    inside: str
    folds: tuple[str, ...]
    plans: dict[str, Any]
    dataset: dict[str, Any]
    said: Said

    @property
    def configuration(self) -> str:
        """Which of the plans' it was trained with."""
        return self.said.configuration

    @property
    def mirror_axes(self) -> set[int]:
        """Along which axes of its network's scans its labels may be compared with mirrored ones; never left-right."""
        return set(self.said.mirror_axes) - {self.plans["transpose_forward"].index(LEFT_RIGHT)}

    @property
    def labels(self) -> dict[str, int]:
        """Name → label of what it marks."""
        return labels_of(self.dataset)

    @property
    def spacing_mm_zyx(self) -> tuple[float, ...]:
        """The spacing of its network along the axes of a scan as it is given to nnU-Net."""
        spacing = configuration_in(self.plans, self.configuration)["spacing"]
        return tuple(spacing[axis] for axis in self.plans["transpose_backward"])

    @property
    def normalization(self) -> list[str]:
        """How nnU-Net normalises its scans."""
        return configuration_in(self.plans, self.configuration)["normalization_schemes"]

    @property
    def grid(self) -> dict[str, Any]:
        """What it shares with models that it can be averaged with."""
        return grid(self.plans, self.dataset, self.configuration)

    @property
    def checked_files(self) -> dict[str, Path]:
        """The files by whose checksums it is trusted, by name: each fold's checkpoint, or the zip."""
        if self.path.is_file():
            return {self.path.name: self.path}
        return {fold: self.path / fold / FINAL_CHECKPOINT for fold in self.folds}


def read_source(path: Path, said: Said | None = None) -> Source:
    """Look at a model. Raises InputError for one that is not whole, or of a kind that is not supported.

    `said`: what its first checkpoint says, if it was asked already.
    """
    names = names_in(path)
    inside = _place(path, names)
    own = [name.removeprefix(inside) for name in names if name.startswith(inside)]
    folds = _folds(path, own)
    try:
        plans, dataset = (json.loads(_bytes(path, inside + name)) for name in DESCRIPTIONS)
        checkpoint = {} if said else _checkpoint(path, inside + folds[0])
        said = said or Said(checkpoint["init_args"]["configuration"], tuple(checkpoint.get(MIRRORING) or ()))
        configuration = configuration_in(plans, said.configuration)
        reasons = unsupported(plans, configuration, dataset)
        if checkpoint and not describes(configuration, checkpoint["network_weights"]):
            reasons = reasons or f"{checkpoint['trainer_name']} trained another network than its plans describe"
    except Exception as error:
        got = f"{type(error).__name__}: {last_line(error)}"
        raise InputError(f"a whole model of nnU-Net v2 at {path}", got, REMEDY) from error
    if reasons:
        raise InputError(SUPPORTED, f"{path}: {reasons}", "take another model")
    return Source(path, inside, folds, plans, dataset, said)


def _checkpoint(path: Path, fold: str) -> dict[str, Any]:
    """What a fold's checkpoint says of itself."""
    with opened(path, f"{fold}/{FINAL_CHECKPOINT}") as stream:
        checkpoint = said_by(stream)
    if lacking := ENTRIES - set(checkpoint):
        raise KeyError(f"a checkpoint without {', '.join(sorted(lacking))}")
    return checkpoint


def names_in(path: Path) -> list[str]:
    """The names of the files of a zip, or of those in a folder and its folders."""
    if path.is_dir():
        return [str(file.relative_to(path)) for pattern in ("*.json", "fold_*/*.pth") for file in path.glob(pattern)]
    if not path.exists():
        hint = "" if path.is_absolute() else f", seen from {Path.cwd()}"
        raise InputError("a trained model", f"{path}: no such file or folder{hint}", REMEDY)
    if not zipfile.is_zipfile(path):
        raise InputError("a model's folder, or a zip of one", f"{path}, which is neither", REMEDY)
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def _place(path: Path, names: list[str]) -> str:
    """Where in a zip, or in the folder itself, the one model lies."""
    there = set(names)
    folders = {name.removesuffix(PLANS) for name in there if PurePosixPath(name).name == PLANS}
    if path.is_dir():
        folders &= {""}
    places = sorted(folder for folder in folders if folder + DATASET in there)
    if not places:
        lacking = [name for name in DESCRIPTIONS if not any(PurePosixPath(other).name == name for other in there)]
        raise InputError("a trained model", f"no {' and no '.join(lacking or DESCRIPTIONS)} in {path}", REMEDY)
    if len(places) > 1:
        remedy = "unpack it, and name the folder of one of them"
        raise InputError(f"one model in {path}", ", ".join(places), remedy)
    return places[0]


def _folds(path: Path, names: list[str]) -> tuple[str, ...]:
    """All folds (`folds_among`). Each has to have ended."""
    folds = folds_among(names)
    if not folds:
        raise InputError(f"{FINAL_CHECKPOINT} of trained folds in {path}", "none", REMEDY)
    if unfinished := [fold for fold in folds if f"{fold}/{FINAL_CHECKPOINT}" not in names]:
        remedy = "let the trainings end, or take a copy of the folder without these folds"
        raise InputError(f"{FINAL_CHECKPOINT} of each fold in {path}", f"none in {', '.join(unfinished)}", remedy)
    return tuple(folds)


@contextmanager
def opened(path: Path, name: str) -> Iterator[IO[bytes]]:
    """One file of a folder or zip, for reading."""
    if path.is_dir():
        with (path / name).open("rb") as stream:
            yield stream
    else:
        with zipfile.ZipFile(path) as archive, archive.open(name) as stream:
            yield stream


def copy_from(source: Source, name: str, target: Path) -> None:
    """Copy one file of a model's folder, in one step."""
    with (
        opened(source.path, source.inside + name) as stream,
        whole_file(target) as temporary,
        temporary.open("wb") as written,
    ):
        shutil.copyfileobj(stream, written)


def _bytes(path: Path, name: str) -> bytes:
    with opened(path, name) as stream:
        return stream.read()
