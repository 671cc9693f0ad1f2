"""The paper at full size: what config/flare22.yaml comes to is what the paper says, value by value."""

import re

import pandas as pd
import pytest
import torch
import yaml
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from snakemake.utils import update_config

from conftest import ROOT
from noisy_student.cohort.room import CERTAINLY_TOO_LITTLE, Plan, disk_bytes
from noisy_student.cohort.scans import find_scans
from noisy_student.configuration.experiment import read_configuration
from noisy_student.configuration.settings import Noise
from noisy_student.organs import FLARE22
from noisy_student.plan.network_figures import network_figures
from noisy_student.plan.planning import make_plans
from noisy_student.train.trainer import NoisyStudentTrainer, Places

PAPER_FLOPS = 1.25e12
PAPER_PARAMETERS = 63.07e6


def configured(*names, **more):
    """As Snakemake has it: the files that are given, and more, are one before they are laid over the default."""
    default, *files = (yaml.safe_load((ROOT / "config" / name).read_bytes()) for name in ("config.yaml", *names))
    given = {}
    for values in (*files, more):
        update_config(given, values)
    update_config(default, given)
    return read_configuration(default)


@pytest.fixture(scope="module")
def configuration():
    return configured("flare22.yaml")


@pytest.fixture(scope="module")
def plans(configuration, description, fingerprint):
    """nnU-Net's plans, which follow the configuration and not the small scans they are made from."""
    return make_plans(description, fingerprint, configuration.networks["paper"], "paper")


@pytest.fixture(scope="module")
def trainer(configuration, plans, description, tmp_path_factory):
    """The teacher's training, as it is before its first epoch."""
    folder = tmp_path_factory.mktemp("training")
    (folder / "dataset/cases").mkdir(parents=True)
    (folder / "dataset/cases/a.b2nd").touch()
    places = Places(folder / "dataset", folder / "model", fold=0)
    settings, cpu = configuration.training_of(0), torch.device("cpu")
    trainer = NoisyStudentTrainer.prepare(plans, description, places, settings, cpu, workers=1)
    trainer.initialize()
    return trainer


@pytest.mark.parametrize(
    ("network", "spacing", "patch"),
    [("small", [4.0, 1.2, 1.2], [32, 128, 192]), ("fast", [2.5, 2.5, 2.5], [64, 128, 160])],
)
def test_the_networks_to_be_deployed_are_the_winners_and_one_on_an_even_grid(
    configuration, description, fingerprint, network, spacing, patch
):
    plans = make_plans(description, fingerprint, configuration.networks[network], network)
    plan = plans["configurations"]["3d_fullres"]
    assert plan["spacing"] == spacing and plan["patch_size"] == patch
    assert plan["architecture"]["arch_kwargs"]["features_per_stage"] == [16, 32, 64, 128, 256]


def test_the_student_made_to_be_deployed_looks_at_the_box_of_the_body(configuration):
    assert configuration.deploy.network == "fast"
    last = len(configuration.rounds)
    assert configuration.prediction_of(last).windows == "in_box_of_body"
    assert configuration.training_of(last) == configuration.training_of(last - 1) | {"seed": configuration.seed + last}


def test_plans(plans):
    plan = plans["configurations"]["3d_fullres"]
    assert plan["spacing"] == [3.0, 1.0, 1.0]
    assert plan["patch_size"] == [32, 224, 224]
    assert plan["batch_size"] == 2
    assert plan["normalization_schemes"] == ["CTNormalization"]


def test_the_residual_encoder_and_its_blocks(plans):
    architecture = plans["configurations"]["3d_fullres"]["architecture"]
    assert architecture["network_class_name"].endswith(".ResidualEncoderUNet")
    assert architecture["arch_kwargs"]["n_blocks_per_stage"] == [1, 2, 3, 4, 4, 4]
    assert architecture["arch_kwargs"]["features_per_stage"] == [32, 64, 128, 256, 320, 320]


def test_operations_meet_the_papers_and_parameters_stand_beside_them(plans, description):
    """The paper's 1.25 T operations and 63.07 M parameters; nnU-Net v2 builds the same blocks a little differently."""
    figures = network_figures(plans, description)
    assert figures["flops"] == pytest.approx(1.225e12, rel=1e-3)
    assert figures["flops"] == pytest.approx(PAPER_FLOPS, rel=0.025)
    assert figures["parameters"] == pytest.approx(71.55e6, rel=1e-3)
    assert figures["parameters"] / PAPER_PARAMETERS == pytest.approx(1.134, abs=1e-3)


def test_optimizer_and_schedule(trainer):
    group = trainer.optimizer.param_groups[0]
    assert isinstance(trainer.optimizer, torch.optim.SGD)
    assert (group["lr"], group["momentum"], group["nesterov"]) == (0.01, 0.99, True)
    assert trainer.num_epochs == 1000 and trainer.num_iterations_per_epoch == 250
    trainer.lr_scheduler.step(600)
    assert group["lr"] == pytest.approx(0.01 * (1 - 600 / 1000) ** 0.9)


def test_loss_is_dice_and_cross_entropy_in_equal_parts(trainer):
    loss = trainer.loss.loss
    assert isinstance(loss, DC_and_CE_loss)
    assert loss.weight_dice == loss.weight_ce == 1


def test_weights_start_as_he_has_them(trainer):
    """Kaiming's normal distribution for leaky rectifiers, biases 0."""
    convolutions = [module for module in trainer.network.modules() if isinstance(module, torch.nn.Conv3d)]
    large = [module.weight for module in convolutions if module.weight.numel() > 100_000]
    assert len(large) > 20
    for weight in large:
        he = (2 / (1 + 0.01**2) / weight[0].numel()) ** 0.5
        assert float(weight.detach().std()) == pytest.approx(he, rel=0.02)
    assert all(not module.bias.any() for module in convolutions if module.bias is not None)


def test_two_rounds_on_all_pseudo_labels(configuration):
    assert [entry.network for entry in configuration.rounds] == ["paper", "paper"]
    assert configuration.selection_of(1) == []
    assert not configuration.voxel_confidence_of(1).flag
    assert configuration.training_of(1)["targets"] == "hard"
    assert configuration.training_of(1)["fine_tuning"]["epochs"] == 0
    # As in nnU-Net, whose trainings know no labelled fraction: each scan as often as any other.
    drawn = ("labelled_fraction", "draw_by_confidence", "draw_rare_organs")
    assert not any(configuration.training_of(1)[name] for name in drawn)
    assert [configuration.noise_of(number) for number in (0, 1)] == [Noise(augmentation="nnunet")] * 2
    assert configuration.organs == FLARE22
    assert configuration.evaluation.mode == "flare22"


def test_what_the_page_says_of_folds_prediction_and_postprocessing(configuration):
    assert (configuration.training.splits, configuration.training.folds) == (5, [0])
    assert not configuration.prediction.mirroring
    assert configuration.prediction.step_size == 0.5
    assert configuration.postprocessing.predictions and not configuration.postprocessing.pseudo_labels


def test_the_page_names_the_disk_below_which_the_check_stops(configuration):
    """For scans as large as the page takes them for, all of which are to be turned."""
    page = " ".join((ROOT / "docs/flare22.md").read_text().split())
    below_gb = int(re.search(r"`snakemake check` stops below about (\d+) GB", page)[1])
    slices = int(re.search(r"\| 2100 scans of (\d+) slices", page)[1])
    size, spacing = (512, 512, slices), (0.98, 0.98, 1.25)
    scan = dict(zip([f"size_{axis}" for axis in "xyz"], size, strict=True))
    scan |= dict(zip([f"spacing_{axis}_mm" for axis in "xyz"], spacing, strict=True))
    cases = pd.DataFrame([scan | {"image": "Case_00001_0000.nii.gz", "orientation": "RAS"}] * 2100)
    spacings = [configuration.networks[name].spacing_mm_zyx for name in configuration.used_networks]
    needed = disk_bytes(cases, Plan(spacings, len(configuration.chain), len(configuration.organs) + 1))
    assert 0.8 * below_gb < CERTAINLY_TOO_LITTLE * needed / 1e9 <= below_gb


def test_a_key_of_the_noise_that_is_given_after_it_leaves_the_others_as_they_are():
    noise = configured("flare22.yaml", noise={"dropout": 0.1}).noise
    assert noise == Noise(augmentation="nnunet", dropout=0.1)


def test_scans_as_downloaded_are_found_in_all_their_folders(configuration, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    training = tmp_path / "data/FLARE22/Training"
    labelled, validation = training / "FLARE22_LabeledCase50", tmp_path / "data/FLARE22/Validation"
    files = [labelled / f"images/FLARE22_Tr_{n:04}_0000.nii.gz" for n in range(1, 51)]
    files += [labelled / f"labels/FLARE22_Tr_{n:04}.nii.gz" for n in range(1, 51)]
    files += [training / f"FLARE22_UnlabeledCase1-1000/Case_{n:05}_0000.nii.gz" for n in range(1, 1001)]
    files += [training / f"FLARE22_UnlabeledCase1001-2000/Case_{n:05}_0000.nii.gz" for n in range(1001, 2001)]
    files += [validation / f"images/FLARETs_{n:04}_0000.nii.gz" for n in range(1, 51)]
    files += [validation / f"labels/FLARETs_{n:04}.nii.gz" for n in range(1, 51)]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    scans = find_scans(configuration.cohort.folders)
    roles = [scan.role for scan in scans]
    assert [roles.count(role) for role in ("labelled", "unlabelled", "validation", "test")] == [50, 2000, 50, 0]
    assert {scan.image for scan in scans} | {scan.label_map for scan in scans} - {None} == {
        path.relative_to(tmp_path) for path in files
    }
    assert len({scan.case for scan in scans}) == 2100


def test_the_best_has_the_papers_data_and_network_and_other_students(configuration):
    best = configured("flare22.yaml", "flare22_best.yaml")
    for name in ("cohort", "networks", "organs", "evaluation", "postprocessing", "shards"):
        assert getattr(best, name) == getattr(configuration, name)
    assert best.training.folds == list(range(best.training.splits))
    assert [entry.start for entry in best.rounds] == ["scratch", "scratch", "teacher"]
    for number in (1, 2):
        settings = best.training_of(number)
        assert (
            settings["targets"] == ("soft", "online")[number - 1]
            and not best.voxel_confidence_of(number)
            and not best.selection_of(number)
        )
        assert settings["fine_tuning"] == {"epochs": 250, "noise": None, "learning_rate": None}
        assert settings["labelled_fraction"] == 0.2
    same = {"epochs", "iterations_per_epoch", "optimizer", "learning_rate", "weight_decay", "mirror_axes", "splits"}
    before, after = (one.training_of(0) for one in (configuration, best))
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
