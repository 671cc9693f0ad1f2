"""Keys that do less than they seem to are said, and no others."""

import pytest
import yaml
from snakemake.utils import update_config

from conftest import ROOT
from noisy_student.configuration.experiment import read_configuration
from noisy_student.running.without_effect import in_words


def file(name):
    return yaml.safe_load((ROOT / "config" / name).read_text())


def said(*given):
    values = file("config.yaml")
    for one in given:
        update_config(values, one)
    return in_words(given, read_configuration(values), "config.yaml")


def test_what_the_students_have_otherwise_is_said_with_both_values():
    training = {"epochs": 1000, "iterations_per_epoch": 250}
    epochs, noise, targets = said({"training": training, "noise": "nnunet"}, {"targets": "hard"})
    own = "rounds 1, 2 of config.yaml go by their own, "
    assert epochs == f"training.epochs 1000 holds for round 0: {own}20. Write `rounds` anew to change it"
    assert noise.startswith("noise {augmentation: nnunet, dropout: 0.0, stochastic_depth: 0.0} holds for round 0: ")
    assert "{augmentation: strong, dropout: 0.0, stochastic_depth: 0.0, mixing: 1.0}" in noise
    assert targets.startswith(f"targets hard holds for no round: {own}online")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"training": {"epochs": 20, "iterations_per_epoch": 9, "splits": 3}},
        {"training": {"epochs": 1000}, "rounds": [{"network": "coarse"}]},
        file("flare22.yaml"),
        file("rehearsal.yaml"),
    ],
)
def test_of_what_holds_for_all_rounds_and_of_given_rounds_nothing_is_said(given):
    assert said(given) == []


def test_the_student_to_be_deployed_goes_by_what_is_given():
    (line,) = said({"targets": "hard", "deploy": {"network": "coarse"}})
    assert line.startswith("targets hard holds for round deploy: rounds 1, 2 of config.yaml")


def test_a_student_to_be_deployed_with_settings_of_its_own_is_not_said_to_go_by_others():
    (line,) = said({"targets": "hard", "deploy": {"network": "coarse", "targets": "soft"}})
    assert line.startswith("targets hard holds for no round: ")


def test_mirroring_without_axes_is_said_once_for_each_model_that_is_trained_here():
    asked = {"prediction": {"mirroring": True}}
    (line,) = said(asked)
    assert line.startswith("prediction.mirroring mirrors nothing") and "`training.mirror_axes` has no axis" in line
    assert len(said(asked, {"deploy": {"network": "coarse", "prediction": {"mirroring": True}}})) == 2
    assert said(asked, {"training": {"mirror_axes": ["z"]}}) == said(asked, {"rounds": [{"model": "a.zip"}]}) == []
