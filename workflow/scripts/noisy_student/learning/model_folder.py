"""A model folder as nnU-Net v2 leaves it: plans.json, dataset.json, fold_<f>/checkpoint_final.pth."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor

from noisy_student.errors import InputError
from noisy_student.files import read_json
from noisy_student.geometry import CANONICAL_ORIENTATION
from noisy_student.learning import nnunet
from noisy_student.learning.checkpoints import FINAL_CHECKPOINT, read_checkpoint
from noisy_student.learning.network import labelling_network
from noisy_student.learning.preprocessing import Plan

ALL = "all"
# The orientation that nnU-Net's reader of this name brings scans to; its others leave them as they are stored.
REORIENTING_READER, ITS_ORIENTATION = "NibabelIOWithReorient", "RAS"
REMEDY = "name a model folder of nnU-Net v2"
OTHER_WAY = "label with nnUNetv2_predict instead"


def checkpoints_of(model: Path, folds: Sequence[str] | None = None) -> list[Path]:
    """Final checkpoints of the named folds; else of all numbered ones, or of fold `all` if there is no other."""
    if folds:
        found = [model / f"fold_{fold}" / FINAL_CHECKPOINT for fold in folds]
    else:
        found = sorted(model.glob(f"fold_*/{FINAL_CHECKPOINT}"))
        found = [path for path in found if path.parent.name != f"fold_{ALL}"] or found
    missing = [str(path) for path in found if not path.exists()]
    if missing or not found:
        got = ", ".join(missing) + " missing" if missing else "none"
        raise InputError(f"{FINAL_CHECKPOINT} of trained folds in {model}", got, REMEDY)
    return found


@dataclass(frozen=True)
class Model:
    """Plans, and of each fold a network."""

    plan: Plan
    networks: list[torch.nn.Module]
    mirror_axes: tuple[int, ...]

    @property
    def orientation(self) -> str | None:
        """The orientation in which the network sees scans; None if it takes them as they are stored."""
        if self.plan.plans["dataset_name"] == nnunet.DATASET:
            return CANONICAL_ORIENTATION
        return ITS_ORIENTATION if self.plan.plans["image_reader_writer"] == REORIENTING_READER else None


def read_model(checkpoints: Sequence[Path]) -> Model:
    """The model of some folds. Raises InputError for a kind of model that is not supported."""
    folder = checkpoints[0].parent.parent
    plans, dataset = (read_json(folder / name) for name in ("plans.json", "dataset.json"))
    loaded = [read_checkpoint(path) for path in checkpoints]
    plan = Plan(plans, dataset, loaded[0]["init_args"]["configuration"])
    if unsupported := _unsupported(plan):
        raise InputError(
            "a 3D model that tells labels apart in scans of one channel", f"{folder}: {unsupported}", OTHER_WAY
        )
    try:
        networks = [_network(plan, checkpoint["network_weights"]) for checkpoint in loaded]
    except RuntimeError as error:
        trainer = loaded[0]["trainer_name"]
        got = f"{folder}: {trainer} trained another one ({str(error).splitlines()[0]})"
        raise InputError("the network that the plans describe", got, OTHER_WAY) from error
    return Model(plan, networks, tuple(loaded[0].get("inference_allowed_mirroring_axes") or ()))


def _unsupported(plan: Plan) -> str:
    """Why a model cannot be used here; empty if it can."""
    configuration = plan.configuration
    channels = plan.dataset.get("channel_names", plan.dataset.get("modality"))
    reasons = {
        "a network of slices (2d)": len(configuration.patch_size) != 3,
        "the second stage of a cascade": configuration.previous_stage_name is not None,
        "regions of several labels": plan.manager.get_label_manager(plan.dataset).has_regions,
        f"{len(channels)} channels": len(channels) != 1,
        f"preprocessor {configuration.preprocessor_name}": configuration.preprocessor_class is not DefaultPreprocessor,
    }
    return ", ".join(reason for reason, holds in reasons.items() if holds)


def _network(plan: Plan, weights: dict[str, torch.Tensor]) -> torch.nn.Module:
    network = labelling_network(plan)
    network.load_state_dict(weights)
    return network
