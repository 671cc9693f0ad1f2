"""What the report says of a round's settings: its own, or the run's."""

import pytest

from noisy_student.configuration.experiment import Configuration
from noisy_student.report.settings import training_settings, voxel_confidence

NETWORKS = {"networks": {"plain": {"encoder": "plain"}}, "cohort": {"kind": "embedded"}}


@pytest.fixture
def run():
    rounds = [
        {"network": "plain"},
        {"network": "plain", "noise": {"augmentation": "nnunet", "dropout": 0.1}, "voxel_confidence": 0},
        {"network": "plain", "noise": "none", "training": {"epochs": 7}},
    ]
    given = {"rounds": rounds, "noise": "strong", "voxel_confidence": {"organ": 0.5, "background": 0.99}}
    configuration = Configuration.model_validate(NETWORKS | given)
    return {"configuration": configuration.model_dump(mode="json")}


def test_a_round_is_said_to_have_its_own_noise_or_the_runs(run):
    words = [training_settings(run, number)["noise"] for number in range(3)]
    assert words == [
        "nnU-Net's augmentation DA5 without exchanged axes",
        "nnU-Net's augmentation, dropout 0.1",
        "no augmentation",
    ]
    assert training_settings(run, 2)["epochs"] == 7


def test_a_round_is_said_to_have_its_own_bounds_on_voxels_or_the_runs(run):
    assert voxel_confidence(run, 1) == {"organ": 0, "background": 0}
    assert voxel_confidence(run, 2) == {"organ": 0.5, "background": 0.99}


def test_a_run_whose_settings_were_not_recorded_is_said_nothing_of():
    assert training_settings({}, 0) == {}
    assert voxel_confidence({}, 0) == {}
