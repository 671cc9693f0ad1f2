"""nnU-Net's fingerprint and plans, from the labelled scans only, with what the configuration fixes.

Shapes, spacings and strides are (z, y, x).
"""

import json
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import DatasetFingerprintExtractor
from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import ExperimentPlanner
from nnunetv2.experiment_planning.experiment_planners.network_topology import get_pool_and_conv_props
from nnunetv2.experiment_planning.experiment_planners.residual_unets.residual_encoder_unet_planners import (
    ResEncUNetPlanner,
    nnUNetPlannerResEncL,
    nnUNetPlannerResEncM,
)

from noisy_student import nnunet
from noisy_student.configuration.settings import Network
from noisy_student.geometry import image_like
from noisy_student.images import read_image, write_image
from noisy_student.organs import FLARE22, Organ
from noisy_student.plan.halvings import SMALLEST_FEATURE_MAP, misfit
from noisy_student.reading.nifti import require_whole_nifti

PLANNERS = {
    "plain": ExperimentPlanner,
    "residual": ResEncUNetPlanner,
    "residual_m": nnUNetPlannerResEncM,
    "residual_l": nnUNetPlannerResEncL,
}
MOST_STAGES = 99


def dataset_description(
    images: dict[str, str], label_maps: dict[str, str], organs: Sequence[Organ] = FLARE22
) -> dict[str, Any]:
    """nnU-Net's dataset.json, naming the labelled scans where they lie."""
    return {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, **{organ.name: organ.label for organ in organs}},
        "numTraining": len(images),
        "file_ending": nnunet.FORMAT,
        "overwrite_image_reader_writer": "SimpleITKIO",
        "dataset": {
            case: {"images": [str(Path(image).resolve())], "label": str(Path(label_maps[case]).resolve())}
            for case, image in images.items()
        },
    }


def make_fingerprint(
    description: dict[str, Any], target: Path, cores: int, sparse: Collection[str] = ()
) -> dict[str, Any]:
    """Shapes, spacings and intensities of the labelled scans, as nnU-Net measures them.

    Voxels that nobody labelled, of `sparse` cases, would count as an organ's: here they are background.
    """
    for files in description["dataset"].values():
        for path in (*files["images"], files["label"]):
            require_whole_nifti(Path(path))
    with nnunet.nnunet_folders(target) as (raw, _):
        files = {case: dict(own) for case, own in description["dataset"].items()}
        for case in sparse:
            label_map = read_image(Path(files[case]["label"]))
            voxels = sitk.GetArrayViewFromImage(label_map)
            files[case]["label"] = str(raw / f"{case}{nnunet.FORMAT}")
            of_organs = np.where(np.isin(voxels, list(description["labels"].values())), voxels, 0)
            write_image(image_like(of_organs, label_map), Path(files[case]["label"]))
        (raw / "dataset.json").write_text(json.dumps(description | {"dataset": files}))
        with nnunet.threads_for_processes():
            fingerprint = DatasetFingerprintExtractor(nnunet.DATASET, cores).run(overwrite_existing=True)
    return json.loads(json.dumps(fingerprint, default=_plain))


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else float(value)


def make_plans(description: dict[str, Any], fingerprint: Path, network: Network, name: str) -> dict[str, Any]:
    """Plans of one network. nnU-Net plans first; then what the configuration fixes replaces its choice."""
    with nnunet.nnunet_folders(fingerprint) as (raw, preprocessed):
        (raw / "dataset.json").write_text(json.dumps(description))
        shutil.copy(fingerprint, preprocessed / "dataset_fingerprint.json")
        planner = PLANNERS[network.encoder](
            nnunet.DATASET,
            plans_name=name,
            overwrite_target_spacing=list(map(float, network.spacing_mm_zyx)) if network.spacing_mm_zyx else None,
            suppress_transpose=True,
        )
        plans = json.loads(json.dumps(planner.plan_experiment(), default=_plain))
    plan = plans["configurations"][nnunet.CONFIGURATION]
    plan["data_identifier"] = nnunet.CASES_FOLDER
    plan["batch_size"] = network.batch_size or plan["batch_size"]
    _fix_topology(plan, network, name)
    return {**plans, "configurations": {nnunet.CONFIGURATION: plan}}


def _fix_topology(plan: dict[str, Any], network: Network, name: str) -> None:
    """Patch, stages, features and blocks of the plan, as configured."""
    patch_size = list(network.patch_size_zyx or plan["patch_size"])
    _, strides, kernels, _, _ = get_pool_and_conv_props(plan["spacing"], patch_size, SMALLEST_FEATURE_MAP, MOST_STAGES)
    if error := misfit(name, network, patch_size, strides):
        raise error
    stages = network.stages or len(strides)
    arguments = plan["architecture"]["arch_kwargs"]
    blocks = "n_blocks_per_stage" if network.is_residual else "n_conv_per_stage"
    arguments |= {
        "n_stages": stages,
        "features_per_stage": [min(network.max_features, network.base_features * 2**stage) for stage in range(stages)],
        "strides": [list(map(int, stride)) for stride in strides[:stages]],
        "kernel_sizes": [list(map(int, kernel)) for kernel in kernels[:stages]],
        blocks: _per_stage(network.encoder_blocks or arguments[blocks], stages),
        "n_conv_per_stage_decoder": _per_stage(
            network.decoder_blocks or arguments["n_conv_per_stage_decoder"], stages - 1
        ),
    }
    plan["patch_size"] = patch_size


def _per_stage(blocks: list[int], stages: int) -> list[int]:
    """One entry per stage; the last one goes on for deeper stages."""
    return [int(blocks[min(stage, len(blocks) - 1)]) for stage in range(stages)]
