import json
import os
import shutil
from copy import deepcopy

import numpy as np
import pytest
import yaml
from nnunetv2.experiment_planning.experiment_planners.network_topology import get_pool_and_conv_props
from nnunetv2.experiment_planning.experiment_planners.residual_unets.residual_encoder_unet_planners import (
    nnUNetPlannerResEncL,
    nnUNetPlannerResEncM,
)
from snakemake.utils import update_config

from conftest import COARSE, ROOT
from noisy_student import nnunet
from noisy_student.configuration.experiment import read_configuration
from noisy_student.configuration.settings import Network
from noisy_student.errors import InputError
from noisy_student.organs import FLARE22
from noisy_student.plan.halvings import SMALLEST_FEATURE_MAP, refuse_misfits, strides_of
from noisy_student.plan.planning import MOST_STAGES, make_fingerprint, make_plans


def test_only_labelled_scans_are_described(description, fingerprint):
    assert sorted(description["dataset"]) == [f"FLARE22_Tr_{number:04}" for number in (1, 2, 3)]
    assert description["labels"] == {"background": 0, **{organ.name: organ.label for organ in FLARE22}}


def test_plans_carry_what_is_configured(plan):
    configuration = plan.configuration
    assert configuration.spacing == [8.0, 6.0, 6.0]
    assert configuration.patch_size == [24, 48, 48]
    assert configuration.batch_size == 2
    arguments = configuration.network_arch_init_kwargs
    assert arguments["features_per_stage"] == [4, 8, 16, 32]
    assert np.prod(arguments["strides"], axis=0).tolist() == [4, 8, 8]
    assert arguments["n_conv_per_stage"] == [1, 1, 1, 1]
    assert plan.plans["transpose_forward"] == [0, 1, 2]


def test_a_residual_encoder_with_the_papers_patch(description, fingerprint):
    network = Network(
        encoder="residual",
        spacing_mm_zyx=(3, 1, 1),
        patch_size_zyx=(32, 224, 224),
        batch_size=2,
        encoder_blocks=[1, 2, 3, 4],
    )
    plans = make_plans(description, fingerprint, network, "paper")
    plan = plans["configurations"]["3d_fullres"]
    arguments = plan["architecture"]["arch_kwargs"]
    assert plan["architecture"]["network_class_name"].endswith("ResidualEncoderUNet")
    assert arguments["n_blocks_per_stage"] == [1, 2, 3, 4, 4, 4]
    assert arguments["features_per_stage"] == [32, 64, 128, 256, 320, 320]
    assert arguments["strides"] == [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 2], [1, 2, 2]]
    assert arguments["kernel_sizes"][0] == [1, 3, 3]
    assert plan["spacing"] == [3.0, 1.0, 1.0] and plan["patch_size"] == [32, 224, 224]


def test_what_is_left_out_is_nnunets_choice(description, fingerprint):
    plans = make_plans(description, fingerprint, Network(), "stock")
    plan = plans["configurations"]["3d_fullres"]
    assert list(plans["configurations"]) == ["3d_fullres"]
    assert min(plan["patch_size"]) >= 16 and plan["batch_size"] >= 2


@pytest.mark.parametrize(
    ("encoder", "planner"), [("residual_m", nnUNetPlannerResEncM), ("residual_l", nnUNetPlannerResEncL)]
)
def test_nnunets_larger_networks_are_known_by_name(description, fingerprint, encoder, planner):
    network = Network(encoder=encoder, spacing_mm_zyx=(1, 1, 1))
    plan = make_plans(description, fingerprint, network, "named")["configurations"]["3d_fullres"]
    with nnunet.nnunet_folders(fingerprint) as (raw, preprocessed):
        (raw / "dataset.json").write_text(json.dumps(description))
        shutil.copy(fingerprint, preprocessed / "dataset_fingerprint.json")
        own = planner(nnunet.DATASET, overwrite_target_spacing=[1.0, 1.0, 1.0], suppress_transpose=True)
        stock = own.plan_experiment()["configurations"]["3d_fullres"]
    assert plan["patch_size"] == list(stock["patch_size"]) and plan["batch_size"] == stock["batch_size"]
    found, expected = (one["architecture"]["arch_kwargs"] for one in (plan, stock))
    for key in ("n_stages", "features_per_stage", "n_blocks_per_stage", "n_conv_per_stage_decoder"):
        assert found[key] == json.loads(json.dumps(expected[key], default=list)), key
    assert np.array_equal(found["strides"], expected["strides"])
    assert np.array_equal(found["kernel_sizes"], expected["kernel_sizes"])


def test_a_patch_that_does_not_halve_is_refused(description, fingerprint):
    network = COARSE.model_copy(update={"patch_size_zyx": (25, 48, 48), "stages": None})
    with pytest.raises(InputError, match=r"use \[28, 48, 48\]"):
        make_plans(description, fingerprint, network, "odd")


def test_a_patch_has_to_halve_in_the_networks_own_stages_alone(description, fingerprint):
    network = COARSE.model_copy(update={"patch_size_zyx": (24, 36, 36), "stages": 3})
    plan = make_plans(description, fingerprint, network, "few")["configurations"]["3d_fullres"]
    assert plan["patch_size"] == [24, 36, 36]
    assert np.prod(plan["architecture"]["arch_kwargs"]["strides"], axis=0).tolist() == [4, 4, 4]
    with pytest.raises(InputError, match=r"use \[24, 40, 40\]"):
        make_plans(description, fingerprint, network.model_copy(update={"stages": 4}), "odd")


def test_more_stages_than_the_patch_allows_are_refused(description, fingerprint):
    with pytest.raises(
        InputError, match=r"networks.deep: patch_size_zyx \[24, 48, 48\], which allows 4\n.*`stages: 4`"
    ):
        make_plans(description, fingerprint, COARSE.model_copy(update={"stages": 6}), "deep")


def test_strides_are_known_before_nnunet_plans():
    random = np.random.default_rng(1)
    for _ in range(500):
        spacing = random.choice([0.7, 1.0, 1.2, 2.0, 2.5, 3.0, 5.0, 8.0], 3).tolist()
        patch = random.integers(4, 260, 3).tolist()
        _, strides, *_ = get_pool_and_conv_props(spacing, patch, SMALLEST_FEATURE_MAP, MOST_STAGES)
        assert strides_of(spacing, patch) == [list(stride) for stride in strides], (spacing, patch)


def test_networks_that_cannot_be_are_refused_before_anything_is_made_but_not_those_that_are_there(tmp_path):
    values = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    coarse = values["networks"]["coarse"]
    values["networks"] |= {"deep": coarse | {"stages": 6}, "odd": coarse | {"patch_size_zyx": [25, 48, 48]}}
    values["networks"] |= {"unused": coarse | {"stages": 9}, "chosen": coarse | {"stages": 9, "patch_size_zyx": None}}
    values["rounds"] = [{"network": name} for name in ("coarse", "deep", "odd", "chosen")]
    with pytest.raises(InputError, match=r"networks.deep: .* allows 4; networks.odd: ") as refused:
        refuse_misfits(read_configuration(values), tmp_path)
    assert "unused" not in str(refused.value) and "chosen" not in str(refused.value)
    for name in ("deep", "odd"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plans.json").touch()
    refuse_misfits(read_configuration(values), tmp_path)


@pytest.mark.parametrize("files", [(), ("flare22.yaml",), ("flare22.yaml", "flare22_best.yaml"), ("rehearsal.yaml",)])
def test_the_networks_that_are_given_here_can_be(files, tmp_path):
    values = {}
    for name in ("config.yaml", *files):
        update_config(values, yaml.safe_load((ROOT / "config" / name).read_text()))
    refuse_misfits(read_configuration(values), tmp_path)


@pytest.mark.parametrize("part", ["images", "label"])
def test_no_fingerprint_of_half_a_file(description, part, tmp_path):
    case, files = next(iter(deepcopy(description)["dataset"].items()))
    half = tmp_path / "half.nii.gz"
    shutil.copy(files["images"][0] if part == "images" else files["label"], half)
    os.truncate(half, half.stat().st_size // 2)
    files[part] = [str(half)] if part == "images" else str(half)
    with pytest.raises(InputError, match=rf"{half}[\s\S]*damaged"):
        make_fingerprint(description | {"dataset": {case: files}}, tmp_path / "fingerprint.json", cores=1)
