"""Table 2: how the networks were trained, the paper's protocol beside."""

from typing import Any

import pandas as pd

from noisy_student.report.labelled_organs import partly_labelled
from noisy_student.report.numbers import MISSING, count, duration, magnitude, product
from noisy_student.report.paper import PROTOCOL
from noisy_student.report.results import Network, Results, Round
from noisy_student.report.settings import (
    bounds_in_words,
    first_weights,
    network_of,
    targets,
    training_settings,
    voxel_confidence,
)
from noisy_student.report.table import Table, plain

OPTIMIZERS = {"sgd": "SGD, Nesterov momentum 0.99", "adamw": "AdamW"}
# What nnU-Net's trainer fixes: https://github.com/MIC-DKFZ/nnUNet/blob/master/nnunetv2/training/nnUNetTrainer
FIXED = {"learning-rate schedule": "poly, (1 − epoch / epochs) ^ 0.9"}
LOSS = "Dice + cross-entropy, deep supervision"


def protocol(results: Results) -> Table:
    """One column per network of the run, the paper's beside it."""
    columns = {network.name: _network(results, network) for network in results.networks}
    columns = columns or {"this run": _training(results, results.rounds)}
    keys = list(dict.fromkeys([*(key for values in columns.values() for key in values), *PROTOCOL]))
    data = pd.DataFrame(
        {"what": key, **{name: values.get(key, MISSING) for name, values in columns.items()},
         "the paper": PROTOCOL.get(key, MISSING)}
        for key in keys
    )  # fmt: skip
    caption = "Network and sampling from nnU-Net's plans, training from the configuration and the logs of all folds."
    return plain("table_2_training_protocol", "Table 2. Training protocol", caption, data)


def _network(results: Results, network: Network) -> dict[str, str]:
    plans = network.configuration
    named = [round_ for round_ in results.rounds if network_of(results.run, round_.number) == network.name]
    rounds = named or (results.rounds if len(results.networks) == 1 else [])
    return {
        "network": plans.get("architecture", {}).get("network_class_name", MISSING).rsplit(".", 1)[-1],
        "rounds": ", ".join(str(round_.number) for round_ in rounds) or MISSING,
        "parameters": magnitude(network.numbers.get("parameters")),
        "FLOPs at the patch size": magnitude(network.numbers.get("flops")),
        "patch (z × y × x)": product(plans.get("patch_size", [])),
        "batch size": str(plans.get("batch_size", MISSING)),
        "spacing (z × y × x), mm": product([round(value, 3) for value in plans.get("spacing", [])]),
        **_training(results, rounds),
    }


def _training(results: Results, rounds: list[Round]) -> dict[str, str]:
    settings = [training_settings(results.run, round_.number) for round_ in rounds]
    folds = [fold for round_ in rounds for fold in round_.training.values() if len(fold)]
    epochs = _distinct(len(fold) for fold in folds) if folds else _distinct(one.get("epochs") for one in settings)
    rates = _distinct(f"{fold['learning_rate'].iloc[0]:.4g}" for fold in folds)
    seconds = sum(fold["seconds"].sum() for fold in folds)
    return {
        "epochs": epochs,
        "iterations per epoch": _distinct(one.get("iterations_per_epoch") for one in settings),
        "initial learning rate": rates,
        "optimizer": _distinct(OPTIMIZERS.get(one.get("optimizer", ""), one.get("optimizer")) for one in settings),
        "weight decay": _distinct(one.get("weight_decay") for one in settings),
        "labelled scans among a student's draws": _distinct(_share(one.get("labelled_fraction")) for one in settings),
        "epochs on labelled scans alone": _distinct(one.get("fine_tuning") for one in settings),
        "noise on the input": _distinct(one.get("noise") for one in settings),
        "targets of pseudo-labelled scans": _distinct(targets(results.run, round_.number) for round_ in rounds),
        "voxels left out of the loss": _distinct(_left_out(results, round_) for round_ in rounds if round_.number),
        **FIXED,
        "loss": f"{LOSS}; marginal where not all organs are labelled" if partly_labelled(results) else LOSS,
        "initialisation": _distinct(first_weights(results.run, round_.number) for round_ in rounds),
        "training time": f"{duration(seconds)}, {count(len(folds), 'training')}" if folds else MISSING,
    }


def _left_out(results: Results, round_: Round) -> str | None:
    """By the teacher's confidence; None where it was not recorded."""
    least = voxel_confidence(results.run, round_.number)
    return (bounds_in_words(least) or "none") if least else None


def _share(fraction: float | None) -> str:
    return "as all others" if fraction is None else f"{fraction:.0%}"


def _distinct(values: Any) -> str:
    """The different values in their order, without those that are missing."""
    return ", ".join(dict.fromkeys(str(value) for value in values if value is not None)) or MISSING
