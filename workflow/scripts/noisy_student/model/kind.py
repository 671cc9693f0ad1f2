"""Kinds of models, told by nnU-Net's plans.json and dataset.json alone, without nnU-Net."""

from collections.abc import Collection, Mapping
from typing import Any

from noisy_student import nnunet
from noisy_student.organs import LARGEST_LABEL

SUPPORTED = "a 3D model that tells labels apart in scans of one channel"
PREPROCESSOR, CT = "DefaultPreprocessor", "CTNormalization"
# nnU-Net's readers of scans → the orientation that they bring them to; None: as they are stored.
READERS = {"SimpleITKIO": None, "NibabelIO": None, "SimpleITKIOWithReorient": "RAS", "NibabelIOWithReorient": "RAS"}
# What a scan goes through before the network sees it, and in which windows; the rest of plans is the network.
OF_THE_GRID = (
    *("spacing", "patch_size", "normalization_schemes", "use_mask_for_norm", "preprocessor_name"),
    *("resampling_fn_data", "resampling_fn_data_kwargs", "resampling_fn_probabilities"),
    "resampling_fn_probabilities_kwargs",
)
UNETS, UNETS_LAYERS = "dynamic_network_architectures.architectures.unet.", ("encoder.", "decoder.")
# Which of the axes (z, y, x) of a scan as it is given to nnU-Net is left-right.
LEFT_RIGHT = 2
OF_THE_PLANS = ("transpose_forward", "transpose_backward", "foreground_intensity_properties_per_channel")


def configuration_in(plans: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A configuration of plans with what it inherits. Raises KeyError for one that is not there."""
    own = plans["configurations"][name]
    above = configuration_in(plans, own["inherits_from"]) if "inherits_from" in own else {}
    return {**above, **own}


def unsupported(plans: Mapping[str, Any], configuration: Mapping[str, Any], dataset: Mapping[str, Any]) -> str:
    """Why a model of a configuration of plans (with what it inherits) cannot be used here; empty if it can."""
    channels = dataset.get("channel_names", dataset.get("modality"))
    regions = [label for label in dataset["labels"].values() if isinstance(label, list | tuple)]
    classes = [label for name, label in dataset["labels"].items() if name != "ignore"]
    reader = plans["image_reader_writer"]
    reasons = {
        "a network of slices (2d)": len(configuration["patch_size"]) != 3,
        "the second stage of a cascade": configuration.get("previous_stage") is not None,
        "regions of several labels": bool(regions),
        f"{len(classes) - 1} labels, more than {LARGEST_LABEL}": len(classes) - 1 > LARGEST_LABEL,
        f"{len(channels)} channels": len(channels) != 1,
        f"preprocessor {configuration['preprocessor_name']}": configuration["preprocessor_name"] != PREPROCESSOR,
        f"scans read by {reader}": not is_of_this_workflow(plans) and reader not in READERS,
    }
    return ", ".join(reason for reason, holds in reasons.items() if holds)


def describes(configuration: Mapping[str, Any], weights: Collection[str]) -> bool:
    """Whether a configuration of plans can be what made a network with weights of these names.

    A trainer may build another one than its plans say, such as a transformer, or one that normalises batches.
    """
    # Plans of nnU-Net's first versions have U-Nets alone, which normalise instances.
    architecture = configuration.get("architecture", {"network_class_name": UNETS, "arch_kwargs": {}})
    if not architecture["network_class_name"].startswith(UNETS):
        return True
    layers = architecture["arch_kwargs"]
    keeps_means = "batchnorm" in str(layers.get("norm_op")).lower()
    keeps_means |= bool((layers.get("norm_op_kwargs") or {}).get("track_running_stats"))
    has_means = any(name.endswith(".running_mean") for name in weights)
    return all(name.startswith(UNETS_LAYERS) for name in weights) and has_means == keeps_means


def labels_of(dataset: Mapping[str, Any]) -> dict[str, int]:
    """Name → label of what a model marks, in the order of the labels; neither background nor the ignore label."""
    labels = {name: int(label) for name, label in dataset["labels"].items() if name != "ignore" and int(label)}
    return dict(sorted(labels.items(), key=lambda item: item[1]))


def grid(plans: Mapping[str, Any], dataset: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What two models must share for the mean of their logits to mean something: labels, and how they see a scan."""
    configuration = configuration_in(plans, name)
    shared = {key: configuration.get(key) for key in OF_THE_GRID} | {key: plans.get(key) for key in OF_THE_PLANS}
    turned_by = "this workflow" if is_of_this_workflow(plans) else READERS.get(plans["image_reader_writer"])
    return shared | {"labels": labels_of(dataset), "turned by": turned_by}


def labels_as(plans: Mapping[str, Any], dataset: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """What two networks must share for the weights of one to label as the other's would."""
    architecture = configuration.get("architecture", {})
    return {
        "labels": labels_of(dataset),
        "layers": [architecture[name] for name in ("network_class_name", "arch_kwargs") if name in architecture],
        "spacing": list(map(float, configuration["spacing"])),
        "normalization": configuration["normalization_schemes"],
        "intensities of the labelled scans": plans["foreground_intensity_properties_per_channel"],
    }


def unlike(theirs: Mapping[str, Any], own: Mapping[str, Any]) -> list[str]:
    """In what two networks differ, by what is known of both: plans of nnU-Net's first versions do not list layers."""
    return [name for name in own if theirs[name] and own[name] != theirs[name]]


def is_of_this_workflow(plans: Mapping[str, Any]) -> bool:
    """Whether a network was trained here, or elsewhere by this workflow, on scans in canonical orientation."""
    return plans["dataset_name"] == nnunet.DATASET
