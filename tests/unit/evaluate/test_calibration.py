"""Voxels counted by confidence and by whether they are right."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from conftest import script
from noisy_student.cohort.converted import converted_image, converted_label_map
from noisy_student.evaluate.calibration import Voxels, as_table, count_right
from noisy_student.images import read_image, write_image
from noisy_student.model.voxel_confidence import write_confidence
from noisy_student.organs import FLARE22, to_json
from noisy_student.plan.preprocessing import (
    LABELS,
    labels_on_grid,
    preprocess_image,
    read_array,
    read_properties,
    with_suffix,
    write_array,
)
from noisy_student.tables import read_table, write_table

CASE = "FLARE22_Tr_0001"
ORGANS = FLARE22[:3]
EVERY = {1, 2, 3}


def row(values, dtype=np.int16):
    return np.array([[values]], dtype)


def voxels(truth, labels, confidence, inside=None):
    inside = [True] * len(truth) if inside is None else inside
    return Voxels(row(truth), row(labels), row(confidence, np.uint8), row(inside, bool))


def counted(*arrays, labelled=EVERY, marked=EVERY, undecided=False):
    """(label, per cent) → (voxels, right) of those that there are."""
    table = as_table(count_right(voxels(*arrays), 4, labelled, marked, undecided), ORGANS)
    return {(r.label, r.confidence): (r.voxels, r.right) for r in table.itertuples()}


def test_voxels_are_counted_by_label_and_confidence():
    found = counted([1, 2, 0, 0, 3], [1, 1, 1, 0, 0], [90, 90, 40, 100, 0])
    assert found == {(1, 90): (2, 1), (1, 40): (1, 0), (0, 100): (1, 1), (0, 0): (1, 0)}


def test_outside_of_the_crop_nothing_counts_whatever_is_labelled_there():
    assert counted([-1, 1, 1], [-1, 1, 1], [99, 99, 99], [False, False, True]) == {(1, 99): (1, 1)}


def test_of_a_partly_labelled_truth_only_its_organs_count():
    arrays = [1, 0, 0, 0], [1, 1, 2, 0], [80] * 4
    assert counted(*arrays, labelled={1, 3}) == {(1, 80): (2, 1)}


def test_what_a_teacher_does_not_mark_is_part_of_its_background():
    arrays = [3, 3, 1], [0, 1, 0], [80] * 3
    assert counted(*arrays, marked={1, 2}) == {(0, 80): (2, 1), (1, 80): (1, 0)}


def test_undecided_background_says_nothing():
    arrays = [1, 0, 0, 1], [0, 0, 0, 1], [0, 0, 1, 0]
    assert counted(*arrays, undecided=True) == {(0, 1): (1, 1), (1, 0): (1, 1)}
    assert counted(*arrays)[0, 0] == (2, 1)


@pytest.fixture(scope="module")
def labelled_scan(converted, plan, tmp_path_factory):
    """A run's files for one scan, part of which is outside of the crop, with a label map that is moved by a voxel."""
    folder = tmp_path_factory.mktemp("run")
    image, truth = converted_image(converted, CASE), converted_label_map(converted, CASE)
    preprocess_image(image, folder / CASE, plan)
    mask = read_array(with_suffix(folder / CASE, LABELS))
    mask[:, :, :3] = -1
    write_array(mask, with_suffix(folder / CASE, LABELS), plan.configuration.patch_size)
    label_map = read_image(truth)
    moved = sitk.GetImageFromArray(np.roll(sitk.GetArrayFromImage(label_map), 1, axis=2))
    moved.CopyInformation(label_map)
    labels = folder / "pseudo_labels"
    (labels / "scores").mkdir(parents=True)
    (labels / "confidence").mkdir()
    write_image(moved, labels / f"{CASE}.nii.gz")
    confidence = np.random.default_rng(1).integers(30, 101, mask.shape[1:]).astype(np.uint8)
    write_confidence(confidence, labels / f"confidence/{CASE}.b2nd")
    scores = [{"organ": organ.name, "volume_ml": 1.0} for organ in FLARE22]
    (labels / f"scores/{CASE}.json").write_text(json.dumps({"scores": scores}))
    write_table(pd.DataFrame([{"case": CASE, "role": "unlabelled", "truth": truth}]), folder / "cases.tsv")
    write_table(pd.DataFrame([{"case": CASE, "preprocessed": folder / CASE}]), folder / "preprocessed.tsv")
    (folder / "plans.json").write_text(json.dumps(plan.plans))
    (folder / "dataset.json").write_text(json.dumps(plan.dataset))
    return folder, truth, confidence


def measured(folder, cases, output):
    """What the command makes of a run's files."""
    run = script(
        "measure_calibration.py", "--cases", cases, "--pseudo-labels", folder / "pseudo_labels",
        "--preprocessed", folder / "preprocessed.tsv", "--plans", folder / "plans.json",
        "--description", folder / "dataset.json", "--organs", to_json(FLARE22, "label", "name"),
        "--output", output,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return read_table(output)


def test_a_checked_truth_has_the_label_tables_numbers_whatever_names_lie_beside_it(labelled_scan, tmp_path):
    folder, truth, _ = labelled_scan
    copy = tmp_path / truth.name
    shutil.copy(truth, copy)
    names = {"background": 0} | {f"structure {organ.label}": organ.label for organ in FLARE22}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": names}))
    write_table(pd.DataFrame([{"case": CASE, "role": "unlabelled", "truth": copy}]), tmp_path / "cases.tsv")
    named = measured(folder, tmp_path / "cases.tsv", tmp_path / "named.tsv")
    pd.testing.assert_frame_equal(named, measured(folder, folder / "cases.tsv", tmp_path / "plain.tsv"))


def test_the_command_counts_as_one_does_voxel_by_voxel(labelled_scan, plan, tmp_path):
    folder, truth, confidence = labelled_scan
    table = measured(folder, folder / "cases.tsv", tmp_path / "calibration.tsv")
    mask, properties = read_array(with_suffix(folder / CASE, LABELS)), read_properties(folder / CASE)
    files = truth, folder / f"pseudo_labels/{CASE}.nii.gz"
    arrays = [sitk.GetArrayFromImage(read_image(path)) for path in files]
    on_grid = [labels_on_grid(array, mask, properties, plan)[0] for array in arrays]
    expected = {}
    for true, label, percent, place in zip(*map(np.ravel, (*on_grid, confidence, mask[0])), strict=True):
        if place == 0:
            voxels, right = expected.get((label, percent), (0, 0))
            expected[label, percent] = voxels + 1, right + (true == label)
    assert {(r.label, r.confidence): (r.voxels, r.right) for r in table.itertuples()} == expected
    assert table.voxels.sum() == (mask == 0).sum() and 0.5 < table.right.sum() / table.voxels.sum() < 1
    assert set(table.organ) == {"background", *(organ.name for organ in FLARE22)}
