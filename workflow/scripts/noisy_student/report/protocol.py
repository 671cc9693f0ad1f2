"""Table 2: how each round was trained; the paper's protocol beside, where its scans are learned from."""

from typing import Any

import pandas as pd

from noisy_student.report.labelled_organs import partly_labelled
from noisy_student.report.numbers import MISSING, capitalised, count, duration, magnitude, product
from noisy_student.report.paper import PROTOCOL
from noisy_student.report.results import Network, Results, Round
from noisy_student.report.settings import (
    OPTIMIZERS,
    bounds_in_words,
    fine_tuning_in_words,
    first_weights,
    network_of,
    noise_in_words,
    seed_of,
    targets,
    training_settings,
    voxel_confidence,
)
from noisy_student.report.table import Table, plain

# What nnU-Net's trainer fixes: https://github.com/MIC-DKFZ/nnUNet/blob/master/nnunetv2/training/nnUNetTrainer
SCHEDULE = "poly, (1 − epoch / epochs) ^ 0.9"
LOSS = "Dice + cross-entropy, deep supervision"


def protocol(results: Results) -> Table:
    """One column for each round that was trained."""
    trained = [round_ for round_ in results.chain if not round_.taken and round_.repeats is None]
    columns = {round_.name: _round(results, round_) for round_ in trained}
    if results.has_papers_scans("labelled"):
        columns["the paper"] = PROTOCOL
    keys = list(dict.fromkeys(key for values in columns.values() for key in values))
    rows = [{"what": key, **{name: values.get(key, MISSING) for name, values in columns.items()}} for key in keys]
    data = pd.DataFrame(rows, columns=["what", *columns])
    caption = "Network and sampling from nnU-Net's plans, training from the configuration and the logs of all folds."
    return plain("table_2_training_protocol", "Table 2. Training protocol", caption, data)


def _round(results: Results, round_: Round) -> dict[str, str]:
    named = [network for network in results.networks if network.name == network_of(results.run, round_.number)]
    network = named[0] if named else Network("", {}, {})
    return _network(network) | _training(results, round_)


def _network(network: Network) -> dict[str, str]:
    plans = network.configuration
    kind = plans.get("architecture", {}).get("network_class_name", MISSING).rsplit(".", 1)[-1]
    return {
        "network": f"{network.name}: {kind}" if network.name else MISSING,
        "parameters": magnitude(network.numbers.get("parameters")),
        "FLOPs at the patch size": magnitude(network.numbers.get("flops")),
        "patch (z × y × x)": product(plans.get("patch_size", [])),
        "batch size": str(plans.get("batch_size", MISSING)),
        "spacing (z × y × x), mm": product([round(value, 3) for value in plans.get("spacing", [])]),
    }


def _training(results: Results, round_: Round) -> dict[str, str]:
    run, number = results.run, round_.number
    settings = training_settings(run, number)
    folds = [fold for fold in round_.training.values() if len(fold)]
    seconds = sum(fold["seconds"].sum() for fold in folds)
    own = {
        "folds": ", ".join(map(str, round_.training)) or MISSING,
        "epochs": _distinct(len(fold) for fold in folds) if folds else str(settings.get("epochs", MISSING)),
        "iterations per epoch": str(settings.get("iterations_per_epoch", MISSING)),
        "initial learning rate": _distinct(f"{fold['learning_rate'].iloc[0]:.4g}" for fold in folds),
        "learning-rate schedule": SCHEDULE,
        "optimizer": OPTIMIZERS.get(settings.get("optimizer", ""), MISSING),
        "weight decay": str(settings.get("weight_decay", MISSING)),
        "loss": f"{LOSS}; marginal where not all organs are labelled" if partly_labelled(results) else LOSS,
        "initialisation": capitalised(first_weights(run, number, round_.took_weights) or MISSING),
        "seed": str(seed_of(run, number)) if settings else MISSING,
        "noise on the input": noise_in_words(settings["noise"]) if settings else MISSING,
    }
    if number and settings:
        least = voxel_confidence(run, number)
        own |= {
            "labelled scans among a student's draws": _share(settings["labelled_fraction"]),
            "epochs on labelled scans alone": fine_tuning_in_words(run, number),
            "targets of pseudo-labelled scans": str(targets(run, number)),
            "voxels left out of the loss": bounds_in_words(least) or "none",
        }
    return own | {"training time": f"{duration(seconds)}, {count(len(folds), 'training')}" if folds else MISSING}


def _share(fraction: float | None) -> str:
    return "as all others" if fraction is None else f"{fraction:.0%}"


def _distinct(values: Any) -> str:
    """The different values in their order."""
    return ", ".join(dict.fromkeys(map(str, values))) or MISSING
