"""Weights of one network put into another, as far as both are alike."""

import json
import shutil

import pytest
import torch

import make_plans
from conftest import COARSE
from noisy_student.errors import InputError
from noisy_student.model.model_folder import checkpoints_of
from noisy_student.plan.network import labelling_network
from noisy_student.plan.preprocessing import Plan
from noisy_student.train.first_weights import HEADS, FirstWeights, weights_of_model, weights_of_teacher

HEAD_LAYERS = [f"decoder.seg_layers.{stage}" for stage in range(3)]


def plan_with(plan, labels=None, **arguments):
    """The plan with another network or other labels."""
    plans = json.loads(json.dumps(plan.plans))
    plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"] |= arguments
    return Plan(plans, plan.dataset | ({"labels": labels} if labels else {}))


def network_of(plan):
    torch.manual_seed(9)
    return labelling_network(plan)


def given(network, first):
    """The layers that were left, and each layer's tensors before and after."""
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    left = first.give_to(network)
    return left, before, network.state_dict()


@pytest.fixture(scope="module")
def checkpoint(untrained):
    return checkpoints_of(untrained)[1]


@pytest.fixture(scope="module")
def theirs(checkpoint):
    return torch.load(checkpoint, weights_only=False)["network_weights"]


def test_all_weights_are_taken_where_networks_and_labels_are_the_same(checkpoint, theirs, plan):
    first = weights_of_teacher(checkpoint, plan)
    left, _, after = given(network_of(plan), first)
    assert first == weights_of_model(checkpoint, plan) == FirstWeights(checkpoint, with_heads=True, sees_alike=True)
    assert left == [] and all(torch.equal(after[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("labels", [{"background": 0, "liver": 1}, "renamed"])
def test_heads_are_not_taken_for_other_labels_though_their_number_be_the_same(checkpoint, theirs, plan, labels):
    if labels == "renamed":
        names = [name for name in plan.dataset["labels"] if name != "background"]
        labels = {"background": 0, **{name: number for number, name in enumerate(reversed(names), 1)}}
    other = plan_with(plan, labels)
    left, before, after = given(network_of(other), weights_of_teacher(checkpoint, other))
    assert left == HEAD_LAYERS
    for name in after:
        assert torch.equal(after[name], before[name] if HEADS in name else theirs[name]), name


def test_the_ignore_label_is_no_other_label(checkpoint, plan):
    other = plan_with(plan, plan.dataset["labels"] | {"ignore": 14})
    assert weights_of_teacher(checkpoint, other).with_heads


def test_a_teacher_with_another_network_gives_nothing_but_a_named_model_what_fits(checkpoint, theirs, plan):
    wider = plan_with(plan, features_per_stage=[4, 8, 16, 40])
    assert weights_of_teacher(checkpoint, wider) is None
    left, before, after = given(network_of(wider), weights_of_model(checkpoint, wider))
    fits = {name for name in after if after[name].shape == theirs[name].shape}
    assert 0 < len(fits) < len(after)
    assert all(torch.equal(after[name], theirs[name] if name in fits else before[name]) for name in after)
    assert "encoder.stages.3.0.convs.0.conv" in left and not any(name.startswith("encoder.stages.0") for name in left)
    assert all(any(name.startswith(f"{layer}.") for name in after) for layer in left)


def test_a_model_of_which_nothing_fits_gives_no_first_weights(checkpoint, plan):
    wider = plan_with(plan, features_per_stage=[5, 10, 20, 40])
    with pytest.raises(InputError, match=f"{checkpoint}: none of its layers"):
        weights_of_model(checkpoint, wider).give_to(network_of(wider))


def test_plans_of_another_configurations_name_are_compared_too(checkpoint, plan, tmp_path):
    model = shutil.copytree(checkpoint.parents[1], tmp_path / "model")
    plans = json.loads((model / "plans.json").read_text())
    plans["configurations"] = {"3d_lowres": plans["configurations"]["3d_fullres"]}
    (model / "plans.json").write_text(json.dumps(plans))
    path = model / "fold_0/checkpoint_final.pth"
    torch.save(torch.load(path, weights_only=False) | {"init_args": {"configuration": "3d_lowres"}}, path)
    assert weights_of_teacher(path, plan) == FirstWeights(path, with_heads=True, sees_alike=True)


def changed(plans, differs):
    """Plans that differ in one thing."""
    own = plans["configurations"]["3d_fullres"]
    if differs == "layers":
        own["architecture"]["arch_kwargs"]["features_per_stage"] = [4, 8, 16, 40]
    elif differs == "spacing":
        own["spacing"] = [9, 9, 9]
    elif differs == "normalization":
        own["normalization_schemes"] = ["ZScoreNormalization"]
    elif differs:
        plans["foreground_intensity_properties_per_channel"]["0"]["mean"] += 1
    return plans


@pytest.mark.parametrize("differs", ["", "layers", "spacing", "normalization", "intensities of the labelled scans"])
def test_a_model_that_cannot_make_online_targets_is_refused_when_its_network_is_planned(
    untrained, plan, fingerprint, tmp_path, monkeypatch, differs
):
    model = shutil.copytree(untrained, tmp_path / "model")
    plans = changed(json.loads((model / "plans.json").read_text()), differs)
    (model / "plans.json").write_text(json.dumps(plans))
    (tmp_path / "dataset.json").write_text(json.dumps(plan.dataset))
    words = {
        "--dataset": tmp_path / "dataset.json", "--fingerprint": fingerprint, "--network": COARSE.model_dump_json(),
        "--name": "coarse", "--online": model, "--output": tmp_path / "plans.json",
    }  # fmt: skip
    monkeypatch.setattr("sys.argv", ["make_plans.py", *(str(word) for pair in words.items() for word in pair)])
    if not differs:
        make_plans.main()
        assert json.loads((tmp_path / "plans.json").read_text()) == plan.plans
        return
    with pytest.raises(InputError, match=f"targets: online` of network coarse[\\s\\S]* with other {differs}\n"):
        make_plans.main()
    assert not (tmp_path / "plans.json").exists()
