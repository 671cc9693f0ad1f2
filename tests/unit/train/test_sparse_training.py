"""Hand labels in which nobody labelled some voxels: a round's dataset, losses, and what is judged by them."""

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss

import make_training_set
from noisy_student.model.soft_labels import FIRST, SECOND, SHARE, WHOLE, write_soft_labels
from noisy_student.plan.preprocessing import LABELS, OUTSIDE, read_array, read_properties, with_suffix
from noisy_student.tables import read_table, write_table
from noisy_student.train.held_out import dsc_per_organ
from noisy_student.train.learned_from import learned_from
from noisy_student.train.marginal_loss import MarginalLoss
from noisy_student.train.soft_targets import SoftLoss
from noisy_student.train.training_set import Example, add_example, label_sets, what_is_learned
from sparse_labels import (
    DATASET,
    IGNORED,
    LIVER,
    SHAPE,
    SPLEEN,
    plan_of,
    sparse_labels,
    whole_labels,
    write_label_map,
    write_preprocessed,
)

SLICES, LABELLED = 10, [0, 2, 5, 7]
SET = IGNORED + 1
ORGANS = {"liver": LIVER, "spleen": SPLEEN}


@pytest.fixture
def example(tmp_path):
    label_map = write_label_map(sparse_labels(), tmp_path / "a.nii.gz")
    return Example("a", "labelled", label_map, write_preprocessed(tmp_path / "cache/a", SLICES))


@pytest.fixture
def added(tmp_path):
    """What stands in the dataset, (1 or 3, z, y, x)."""

    def add(example, soft=False):
        plan = plan_of()
        add_example(example, tmp_path / "cases", plan, soft, label_sets([example], plan))
        return read_array(with_suffix(tmp_path / "cases" / example.case, LABELS))

    return add


def unlabelled():
    """Where nobody labelled on the network's grid."""
    return np.broadcast_to(~np.isin(np.arange(SLICES), LABELLED)[:, None, None], (SLICES, *SHAPE[1:]))


def test_in_the_dataset_they_are_nnunets_ignore_label_and_nothing_is_drawn_from_them(example, added, tmp_path):
    labels = added(example)[0]
    assert (labels == IGNORED).tolist() == unlabelled().tolist()
    assert (labels[LABELLED] == np.where(whole_labels()[LABELLED], whole_labels()[LABELLED], labels[LABELLED])).all()
    locations = read_properties(tmp_path / "cases/a")["class_locations"]
    assert set(locations) == {LIVER, SPLEEN, (OUTSIDE, 0, LIVER, SPLEEN)}
    for voxels in locations.values():
        assert len(voxels) and np.isin(voxels[:, 1], LABELLED).all()


def test_they_count_as_background_that_is_left_out(example, added, tmp_path):
    added(example)
    rows = {row["organ"]: row for row in what_is_learned(example, tmp_path / "cases")}
    assert rows["background"]["left_out"] == unlabelled().sum()
    assert rows["liver"]["voxels"] == len(LABELLED) * 12 and rows["liver"]["left_out"] == 0
    counted = learned_from(
        np.array([[[0, LIVER, IGNORED]]]), np.array([[[[0, LIVER, IGNORED]]]]), IGNORED, {0: "b", 1: "l"}
    )
    assert [row["left_out"] for row in counted] == [1, 0]


def test_among_soft_targets_they_are_left_out_and_the_others_hard(example, added):
    labels = added(example, soft=True)
    assert (labels[FIRST] == labels[SECOND]).all() and (labels[SHARE] == WHOLE).all()
    assert ((labels[FIRST] == IGNORED) == unlabelled()).all()


def test_beside_organs_that_are_not_labelled_both_stay_apart(example, added, tmp_path):
    """Labelled background may be the spleen; what nobody labelled is not looked at."""
    labels = np.where(sparse_labels() == SPLEEN, 0, sparse_labels())
    write_label_map(labels, example.label_map)
    found = added(replace(example, unlabelled=("spleen",)))[0]
    assert ((found == IGNORED) == unlabelled()).all()
    assert set(np.unique(found[LABELLED])) == {LIVER, SET}


@pytest.mark.parametrize("soft", [False, True])
def test_a_teacher_fills_the_labelled_background_alone(example, added, tmp_path, soft):
    labels = np.where(sparse_labels() == SPLEEN, 0, sparse_labels())
    by_hand = write_label_map(labels, tmp_path / "by_hand.nii.gz")
    write_label_map(whole_labels(), example.label_map)
    filled = replace(example, case="a+filled", origin="filled", by_hand=by_hand, unlabelled=("spleen",))
    if soft:
        taught = np.stack([whole_labels()[::4], whole_labels()[::4], np.full((SLICES, *SHAPE[1:]), WHOLE)])
        write_soft_labels(taught.astype(np.uint8), tmp_path / "soft.b2nd")
        filled = replace(filled, soft=tmp_path / "soft.b2nd")
    found = added(filled, soft)
    assert ((found[FIRST] == IGNORED) == unlabelled()).all()
    assert (found[FIRST][LABELLED].clip(min=0) == whole_labels()[LABELLED]).all()
    rows = {row["organ"]: row for row in what_is_learned(filled, tmp_path / "cases")}
    assert rows["background"]["left_out"] == unlabelled().sum() and rows["spleen"]["left_out"] == 0


def hard_loss(_):
    dice = {"batch_dice": False, "smooth": 1e-5, "do_bg": False, "ddp": False}
    return DC_and_CE_loss(dice, {}, ignore_label=IGNORED, dice_class=MemoryEfficientSoftDiceLoss)


def marginal_loss(sets):
    return MarginalLoss(hard_loss(sets).dc, sets, True, torch.device("cpu"))


def soft_loss(sets):
    members = sets.members() if sets.sets else None
    loss = SoftLoss(torch.nn.Identity(), [1.0], 3, IGNORED, False, members)
    return lambda logits, targets: loss([logits], targets)


@pytest.mark.parametrize(
    ("make", "soft", "without"),
    [
        pytest.param(hard_loss, False, (), id="nnU-Net's"),
        pytest.param(marginal_loss, False, ("spleen",), id="sets of labels"),
        pytest.param(soft_loss, True, (), id="soft"),
        pytest.param(soft_loss, True, ("spleen",), id="soft and sets"),
    ],
)
def test_no_loss_looks_at_them(example, added, make, soft, without):
    example = replace(example, unlabelled=without)
    targets = torch.from_numpy(added(example, soft)[None].clip(min=0).astype(np.int64))
    logits = torch.randn((1, 3, SLICES, *SHAPE[1:]), generator=torch.Generator().manual_seed(1), requires_grad=True)
    make(label_sets([example], plan_of()))(logits, targets).backward()
    changed = logits.grad[0].abs().sum(0).numpy() > 0
    assert not changed[unlabelled()].any() and changed[~unlabelled()].mean() > 0.9


def test_held_out_scans_are_judged_where_they_are_labelled():
    """The fold finds the liver everywhere where nobody labelled, and half of the spleen."""
    found = np.where(sparse_labels() == IGNORED, LIVER, whole_labels())
    found[:, 5:, 5:] = np.where(found[:, 5:, 5:] == SPLEEN, 0, found[:, 5:, 5:])
    table = dsc_per_organ(sparse_labels(), found, ORGANS).set_index("organ").DSC
    assert table["liver"] == 1 and table["spleen"] == pytest.approx(2 / 3)
    truth = np.where(sparse_labels() == SPLEEN, IGNORED, sparse_labels())
    assert np.isnan(dsc_per_organ(truth, found, ORGANS).DSC[1])


def test_a_rounds_dataset_has_the_ignore_label_wherever_a_labelled_scan_needs_it(example, tmp_path, monkeypatch):
    whole = write_label_map(whole_labels(), tmp_path / "b.nii.gz")
    second = write_preprocessed(tmp_path / "cache/b", SLICES)
    plan, folder = plan_of(ignores=False), tmp_path / "round_0/dataset"
    label_maps, places = [str(example.label_map), str(whole)], [str(example.preprocessed), str(second)]
    write_table(pd.DataFrame({"case": list("ab"), "preprocessed": places}), tmp_path / "preprocessed.tsv")
    for name, content in (("plans", plan.plans), ("description", DATASET), ("fingerprint", {})):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    words = [f"--{name}={tmp_path / name}.json" for name in ("plans", "description", "fingerprint")]
    words += ["--splits=2", "--seed=1", f"--output={folder}/training_set.tsv"]
    words += [f"--{name}={tmp_path / name}.tsv" for name in ("converted", "preprocessed")]
    for shares in ({}, {"labelled_share": [0.1, None]}):
        write_table(pd.DataFrame({"case": list("ab"), "label_map": label_maps} | shares), tmp_path / "converted.tsv")
        monkeypatch.setattr(sys, "argv", ["make_training_set.py", *words])
        if not shares:
            # As if the second were the only one.
            shutil.copy(whole, example.label_map)
            make_training_set.main()
            assert "ignore" not in json.loads((folder / "dataset.json").read_text())["labels"]
            assert "labelled_share" not in read_table(folder / "training_set.tsv")
            write_label_map(sparse_labels(), example.label_map)
    make_training_set.main()
    assert json.loads((folder / "dataset.json").read_text())["labels"]["ignore"] == IGNORED
    table = read_table(folder / "training_set.tsv", ["labelled_share"]).set_index("case").labelled_share
    assert table["a"] == 0.1 and np.isnan(table["b"])
    assert all((OUTSIDE, 0, 1, 2) in read_properties(folder / "cases" / case)["class_locations"] for case in "ab")
