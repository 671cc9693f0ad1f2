"""The weights of a trained network as the first ones of another training, as far as both networks are alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from noisy_student.errors import InputError
from noisy_student.files import read_json
from noisy_student.model.checkpoints import read_checkpoint
from noisy_student.plan.preprocessing import Plan

# The layers whose channels are the labels, one for each resolution; nnU-Net's name for them.
HEADS = ".seg_layers."


@dataclass(frozen=True)
class FirstWeights:
    """A checkpoint, and whether its heads are taken too: of a model with other labels they say other things.

    `sees_alike`: its network was trained on scans that were preprocessed as those of the training.
    """

    checkpoint: Path
    with_heads: bool
    sees_alike: bool

    def give_to(self, network: torch.nn.Module) -> list[str]:
        """Put the weights into a network where name and shape agree; the layers that keep their own, by name.

        Raises InputError where no whole layer agrees: then they are no first weights.
        """
        theirs, own = read_checkpoint(self.checkpoint)["network_weights"], network.state_dict()
        fitting = {
            name: weights
            for name, weights in theirs.items()
            if name in own and weights.shape == own[name].shape and (self.with_heads or HEADS not in name)
        }
        # A layer may have several names; the first one tells it.
        names = {weights.data_ptr(): name for name, weights in reversed(own.items())}
        layers = {name.rpartition(".")[0] for name in names.values()}
        left = {name.rpartition(".")[0] for name in names.values() if name not in fitting}
        if left == layers:
            raise InputError(
                "first weights of layers with the names and shapes of this network's",
                f"{self.checkpoint}: none of its layers",
                "name another model in the round's `start`, or write `start: scratch`",
            )
        network.load_state_dict({**own, **fitting})
        return sorted(left)


def weights_of_teacher(checkpoint: Path, plan: Plan) -> FirstWeights | None:
    """A teacher's weights for a training by `plan`; nothing if its network is another one, as after a collapse."""
    theirs = _plan_of(checkpoint)
    return _first_weights(checkpoint, theirs, plan) if _network(theirs) == _network(plan) else None


def weights_of_model(checkpoint: Path, plan: Plan) -> FirstWeights:
    """The weights of any model for a training by `plan`, as far as they fit."""
    return _first_weights(checkpoint, _plan_of(checkpoint), plan)


def _first_weights(checkpoint: Path, theirs: Plan, own: Plan) -> FirstWeights:
    return FirstWeights(checkpoint, theirs.organs == own.organs, _preprocessing(theirs) == _preprocessing(own))


def _plan_of(checkpoint: Path) -> Plan:
    plans, dataset = (read_json(checkpoint.parents[1] / name) for name in ("plans.json", "dataset.json"))
    return Plan(plans, dataset, read_checkpoint(checkpoint)["init_args"]["configuration"])


def _network(plan: Plan) -> tuple[str, Mapping]:
    configuration = plan.configuration
    return configuration.network_arch_class_name, configuration.network_arch_init_kwargs


def _preprocessing(plan: Plan) -> tuple[list[float], list[str], Mapping]:
    configuration, intensities = plan.configuration, plan.plans["foreground_intensity_properties_per_channel"]
    return list(configuration.spacing), configuration.normalization_schemes, intensities
