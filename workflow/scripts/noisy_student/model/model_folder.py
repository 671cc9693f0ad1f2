"""A model folder as nnU-Net v2 leaves it: plans.json, dataset.json, fold_<f>/checkpoint_final.pth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from noisy_student.damage import OF_THE_USER
from noisy_student.errors import InputError, last_line
from noisy_student.files import read_json
from noisy_student.geometry import CANONICAL_ORIENTATION
from noisy_student.model.checkpoint_names import (
    ENTRIES,
    FINAL,
    KINDS,
    MIRRORING,
    OF_A_FOLD,
    checkpoint_name,
    folds_among,
)
from noisy_student.model.checkpoints import read_checkpoint
from noisy_student.model.kind import READERS, SUPPORTED, grid, is_of_this_workflow, unsupported
from noisy_student.model.source import DESCRIPTIONS
from noisy_student.plan.network import labelling_network
from noisy_student.plan.preprocessing import Plan

OTHER_MODEL = "name a model folder of nnU-Net v2, with plans.json, dataset.json and fold_*/"
COPY_AGAIN = "copy the model's folder again, whole, from where it comes"
OTHER_WAY = "label with nnUNetv2_predict instead"


def checkpoints_of(model: Path, folds: Sequence[str] | None = None, which: str = FINAL) -> list[Path]:
    """Checkpoints of the named folds; else of all that have one (`folds_among`).

    `which` of them: final, or what nnU-Net keeps while it trains, best or latest.
    """
    if lacking := [name for name in DESCRIPTIONS if not (model / name).is_file()]:
        got = f"no such folder: {model}" if not model.is_dir() else f"no {' and no '.join(lacking)} in {model}"
        raise InputError("a trained model", got, OTHER_MODEL)
    names = [f"fold_{fold}" for fold in folds] if folds else folds_among(_checkpoints_in(model), which)
    found = [model / name / checkpoint_name(which) for name in names]
    missing = [path.parent.name.removeprefix("fold_") for path in found if not path.exists()]
    if missing or not found:
        raise _no_checkpoint(model, which, missing)
    return found


def _checkpoints_in(model: Path) -> list[str]:
    """The names of all checkpoints of folds in a model's folder."""
    names = sorted(str(path.relative_to(model)) for path in model.glob("fold_*/checkpoint_*.pth"))
    return [name for name in names if OF_A_FOLD.fullmatch(name)]


def _no_checkpoint(model: Path, which: str, folds: list[str]) -> InputError:
    """The error for folds without the checkpoint (none named: there is no fold), which names what there is instead."""
    there = _checkpoints_in(model)
    got = ", ".join(f"fold_{fold} has none" for fold in folds) or "none"
    got += f"; there are {', '.join(there)}" if there else ""
    return InputError(f"{checkpoint_name(which)} of trained folds in {model}", got, _other_checkpoint(there, folds))


def _other_checkpoint(there: list[str], folds: list[str]) -> str:
    """What to name instead: another kind that the folds have, or other folds."""
    matches = [OF_A_FOLD.fullmatch(name) for name in there]
    by_kind = {kind: [match[1] for match in matches if match[2] == kind] for kind in KINDS}
    for kind, having in by_kind.items():
        if having and {f"fold_{fold}" for fold in folds} <= set(having):
            return f"let the training end, or name what there is: --checkpoint {kind}"
    for kind, having in by_kind.items():
        if having:
            numbers = " ".join(name.removeprefix("fold_") for name in having)
            return f"name the folds that have one: --folds {numbers} --checkpoint {kind}"
    return OTHER_MODEL


def unfinished_folds(model: Path, checkpoints: Sequence[Path]) -> list[str]:
    """Folds of a model that have checkpoints, but none among these."""
    taken = {path.parent.name for path in checkpoints}
    return [fold for fold in folds_among(_checkpoints_in(model)) if fold not in taken]


@dataclass(frozen=True)
class Model:
    """Plans, and a network of each checkpoint."""

    plan: Plan
    networks: list[torch.nn.Module]
    mirror_axes: tuple[int, ...]

    @property
    def orientation(self) -> str | None:
        """The orientation in which the network sees scans; None if it takes them as they are stored."""
        if is_of_this_workflow(self.plan.plans):
            return CANONICAL_ORIENTATION
        return READERS[self.plan.plans["image_reader_writer"]]

    @property
    def knows_one_order(self) -> bool:
        """Whether it sees scans as they are stored, and was trained without mirroring: on axes that run one way."""
        return self.orientation is None and not self.mirror_axes

    @property
    def grid(self) -> dict[str, Any]:
        """What it shares with models that it can be averaged with."""
        return grid(self.plan.plans, self.plan.dataset, self.plan.configuration_name)


def by_folder(checkpoints: Sequence[Path]) -> dict[Path, list[Path]]:
    """The checkpoints of each model folder."""
    folders: dict[Path, list[Path]] = {}
    for path in checkpoints:
        folders.setdefault(path.parents[1], []).append(path)
    return folders


def joined(models: Sequence[Model]) -> Model:
    """Models of one grid (`kind.grid`) as one, whose networks label by their mean."""
    axes = set.intersection(*(set(model.mirror_axes) for model in models))
    networks = [network for model in models for network in model.networks]
    return Model(models[0].plan, networks, tuple(sorted(axes)))


def read_model(checkpoints: Sequence[Path]) -> Model:
    """The model of some folds, of each one or several checkpoints.

    Raises InputError for a kind of model that is not supported.
    """
    folder = checkpoints[0].parent.parent
    plans, dataset, *loaded = _contents(folder, checkpoints)
    plan = Plan(plans, dataset, loaded[0]["init_args"]["configuration"])
    try:
        reasons = unsupported(plans, plan.configuration.configuration, dataset)
    except (RuntimeError, LookupError) as error:
        raise InputError(f"plans in {folder} that nnU-Net understands", last_line(error), OTHER_WAY) from error
    if reasons:
        raise InputError(SUPPORTED, f"{folder}: {reasons}", OTHER_WAY)
    try:
        networks = [_network(plan, checkpoint.pop("network_weights")) for checkpoint in loaded]
    except (RuntimeError, ImportError) as error:
        trainer = loaded[0]["trainer_name"]
        got = f"{folder}: {trainer} trained another one ({str(error).splitlines()[0]})"
        raise InputError("the network that the plans describe", got, OTHER_WAY) from error
    return Model(plan, networks, tuple(loaded[0].get(MIRRORING) or ()))


def _contents(folder: Path, checkpoints: Sequence[Path]) -> list[dict[str, Any]]:
    """Plans, description of the data set, and the checkpoints."""
    try:
        descriptions = [read_json(folder / name) for name in DESCRIPTIONS]
    except InputError as error:
        raise InputError(error.wanted, error.got, f"{COPY_AGAIN}; if a run made it, {error.remedy}") from error
    return [*descriptions, *map(_checkpoint, checkpoints)]


def _checkpoint(path: Path) -> dict[str, Any]:
    """What labelling needs of a checkpoint: not the optimizer's state, as large as the weights or larger."""
    try:
        checkpoint = read_checkpoint(path)
    except InputError as error:
        remedy = COPY_AGAIN if error.remedy == OF_THE_USER else error.remedy
        raise InputError(error.wanted, error.got, remedy) from error
    if not isinstance(checkpoint, dict) or not set(checkpoint) >= ENTRIES:
        got = f"a file without {', '.join(sorted(ENTRIES))}, all of which nnU-Net writes"
        raise InputError(f"a checkpoint of nnU-Net v2 at {path}", got, OTHER_MODEL)
    return {name: value for name, value in checkpoint.items() if name in (*ENTRIES, MIRRORING)}


def _network(plan: Plan, weights: dict[str, torch.Tensor]) -> torch.nn.Module:
    network = labelling_network(plan)
    network.load_state_dict(weights)
    return network
