import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2
from scipy.ndimage import distance_transform_edt

import make_training_set
from noisy_student.cohort.converted import converted_image, converted_label_map
from noisy_student.files import sha256
from noisy_student.geometry import image_like, reorient
from noisy_student.images import read_image, write_image
from noisy_student.model.soft_labels import write_soft_labels
from noisy_student.model.voxel_confidence import unsure_voxels, write_confidence
from noisy_student.plan.preprocessing import (
    ARRAY,
    LABELS,
    MADE_FROM,
    Plan,
    preprocess_image,
    read_array,
    read_properties,
    with_suffix,
    write_properties,
)
from noisy_student.tables import write_table
from noisy_student.train.label_sets import LabelSets
from noisy_student.train.masking import with_ignore_label
from noisy_student.train.training_set import (
    LEARNED_FROM,
    Example,
    add_example,
    label_sets,
    remove_others,
    soft_targets,
    splits,
    what_is_learned,
    whose_labels,
)

CASE = "FLARE22_Tr_0002"
NAMES = st.lists(st.text("abcdefgh", min_size=1), unique=True, min_size=3, max_size=20)


def of_all(plan, organ, background):
    """The same bound for each organ, and one for background."""
    return dict.fromkeys(plan.organs, organ) | {"background": background}


def test_the_folds_that_a_run_has_begun_with_stay():
    dealt = [fold["val"] for fold in splits(list("gfedcba"), ["p"], 3, 1, ["x", "y"])]
    assert dealt == [["d", "e", "f", "x"], ["a", "c", "y"], ["b", "g"]]


@given(NAMES, st.lists(st.integers(0, 99).map("p{}".format), unique=True), st.integers(2, 3), st.integers(0, 9))
def test_only_labelled_scans_validate_and_pseudo_labels_never_move_them(labelled, pseudo, count, seed):
    folds, without = splits(labelled, pseudo, count, seed), splits(labelled, [], count, seed)
    assert sorted(case for fold in folds for case in fold["val"]) == sorted(labelled)
    for fold, teacher_fold in zip(folds, without, strict=True):
        assert fold["val"] == teacher_fold["val"] and fold["val"]
        assert not set(fold["val"]) & set(fold["train"])
        assert set(fold["train"]) | set(fold["val"]) == {*labelled, *pseudo}


def test_no_fold_learns_from_a_scan_that_it_holds_out_filled_or_not():
    folds = splits(list("abcd"), ["p", "a+filled", "c+filled"], 2, 1)
    for fold in folds:
        left = {case for case in "abcd" if case not in fold["val"]}
        assert set(fold["train"]) == {*left, "p", *(f"{case}+filled" for case in left & {"a", "c"})}
    assert folds[0]["val"] == splits(list("abcd"), [], 2, 1)[0]["val"]


def test_no_fold_learns_from_a_scan_that_it_holds_out_by_another_name():
    labelled, others = list("abcd"), ["p", "copy+filled", "a+filled"]
    before = splits([*labelled, "copy"], others, 2, 1)
    folds = splits([*labelled, "copy"], others, 2, 1, (), {"a": "1", "copy": "1", "b": "2", "c": "3", "p": "4"})
    assert [fold["val"] for fold in folds] == [fold["val"] for fold in before]
    for fold, plain in zip(folds, before, strict=True):
        twins = {"a", "copy"} & {*fold["val"]}
        left_out = {"a", "copy", "a+filled", "copy+filled"} if twins else set()
        assert {*fold["train"]} == {*plain["train"]} - left_out
    assert splits(labelled, ["p"], 2, 1, (), dict(zip("abcdp", "12345", strict=True))) == splits(labelled, ["p"], 2, 1)


def test_folds_by_which_trainings_have_learned_stay_where_copies_alone_differ(tmp_path, capsys):
    path, voxels = tmp_path / "splits_final.json", dict.fromkeys("abc", "1")
    folds_of = partial(splits, list("abcd"), [], 2, 0, ())
    # Of three in two folds one at least has a copy in the other.
    earlier, apart = folds_of(), folds_of(voxels)
    assert earlier != apart
    make_training_set.write_folds(path, folds_of, voxels)
    assert json.loads(path.read_text()) == apart and capsys.readouterr().err == ""
    path.write_text(json.dumps(earlier))
    make_training_set.write_folds(path, folds_of, voxels)
    assert json.loads(path.read_text()) == earlier and f"delete {path}" in capsys.readouterr().err
    path.write_text(json.dumps(splits(list("abcd"), ["e"], 2, 0)))
    make_training_set.write_folds(path, folds_of, voxels)
    assert json.loads(path.read_text()) == apart


def test_checksums_of_voxels_are_those_of_the_case_table_where_it_has_them(tmp_path):
    table = pd.DataFrame({"case": ["a", "b"], "role": ["labelled", "unlabelled"]})
    write_table(table, tmp_path / "cases.tsv")
    assert make_training_set.checksums_of_voxels(tmp_path / "cases.tsv") == {}
    write_table(table.assign(voxels_sha256=["1", None]), tmp_path / "cases.tsv")
    assert make_training_set.checksums_of_voxels(tmp_path / "cases.tsv") == {"a": "1"}


@pytest.fixture
def example(converted, plan, tmp_path):
    preprocess_image(converted_image(converted, CASE), tmp_path / "cache" / CASE, plan)
    return Example(CASE, "labelled", converted_label_map(converted, CASE), tmp_path / "cache" / CASE)


def test_the_image_is_linked_and_the_labels_are_new(example, plan, tmp_path):
    row = add_example(example, tmp_path / "cases", plan)
    target = tmp_path / "cases" / CASE
    assert with_suffix(target, ARRAY).samefile(with_suffix(example.preprocessed, ARRAY))
    assert not with_suffix(target, LABELS).samefile(with_suffix(example.preprocessed, LABELS))
    assert set(read_properties(target)["class_locations"]) == set(range(1, 14))
    assert row["origin"] == "labelled" and len(row["sha256"]) == 64
    assert row["found"] == ", ".join(plan.organs)
    assert add_example(example, tmp_path / "cases", plan) == row
    assert "class_locations" not in read_properties(example.preprocessed)


def test_a_student_trains_on_what_nnunets_own_preprocessing_makes(example, plan, tmp_path):
    """Image from the cache, labels of a teacher: every array and property, as nnU-Net's loader reads them."""
    true = read_image(example.label_map)
    teachers = image_like(np.roll(sitk.GetArrayFromImage(true), (1, 3, -2), (0, 1, 2)), true)
    label_map = tmp_path / "teachers.nii.gz"
    write_image(reorient(teachers, "RAS"), label_map)
    add_example(Example(CASE, "pseudo", label_map, example.preprocessed), tmp_path / "cases", plan)
    image = str(example.label_map.parent.parent / "images" / f"{CASE}_0000.nii.gz")
    write_image(teachers, tmp_path / "canonical.nii.gz")
    (tmp_path / "stock").mkdir()
    DefaultPreprocessor(verbose=False).run_case_save(
        str(tmp_path / "stock" / CASE), [image], str(tmp_path / "canonical.nii.gz"),
        plan.manager, plan.configuration, plan.dataset,
    )  # fmt: skip
    ours, stock = (nnUNetDatasetBlosc2(str(tmp_path / name)).load_case(CASE) for name in ("cases", "stock"))
    image, expected = ours[0][:], stock[0][:]
    # Sums of another order: less than the last digit of float32.
    assert image.dtype == expected.dtype and np.abs(image - expected).max() < 1e-5
    assert ours[1].dtype == stock[1].dtype and (ours[1][:] == stock[1][:]).all()
    found, wanted = ours[3], stock[3]
    assert set(found) - set(wanted) == {MADE_FROM, LEARNED_FROM} and set(wanted) <= set(found)
    assert list(found["class_locations"]) == list(wanted["class_locations"])
    for label, voxels in wanted.pop("class_locations").items():
        assert (found["class_locations"][label] == voxels).all()
    for name, value in wanted.items():
        assert np.array_equal(np.asarray(found[name], dtype=object), np.asarray(value, dtype=object)), name


def test_a_case_is_made_anew_only_for_another_label_map(example, plan, tmp_path):
    target = with_suffix(tmp_path / "cases" / CASE, LABELS)
    add_example(example, tmp_path / "cases", plan)
    before = target.stat().st_mtime_ns
    add_example(example, tmp_path / "cases", plan)
    assert target.stat().st_mtime_ns == before
    other = tmp_path / "other.nii.gz"
    write_image(read_image(example.label_map) * 0, other)
    add_example(Example(CASE, "pseudo", other, example.preprocessed), tmp_path / "cases", plan)
    assert read_array(target).max() == 0


def test_what_a_case_teaches_is_known_also_where_it_is_not_made_again(example, plan, tmp_path):
    with_ignore = Plan(plan.plans, with_ignore_label(plan.dataset))
    cases, target = tmp_path / "cases", with_suffix(tmp_path / "cases" / CASE, LABELS)
    add_example(example, cases, with_ignore)
    labels = read_array(target)[0]
    masked = replace(example, origin="pseudo", masked=("liver",))
    add_example(masked, cases, with_ignore)
    known = what_is_learned(masked, cases)
    add_example(masked, cases, with_ignore)
    assert what_is_learned(masked, cases) == known
    rows = {row["organ"]: row for row in known}
    assert list(rows) == ["background", *plan.organs] and rows["liver"]["origin"] == "pseudo"
    assert rows["liver"]["voxels"] == rows["liver"]["left_out"] == (labels == 1).sum()
    assert rows["spleen"]["left_out"] == 0 and rows["spleen"]["voxels"] == (labels == 3).sum()
    assert sum(row["left_out"] for row in known) == (read_array(target) == 14).sum() > rows["liver"]["voxels"]

    before = read_properties(cases / CASE)
    write_properties({name: value for name, value in before.items() if name != LEARNED_FROM}, cases / CASE)
    add_example(masked, cases, with_ignore)
    assert what_is_learned(masked, cases) == known


def test_a_case_is_made_anew_for_another_label_table(example, plan, tmp_path):
    """Of which neither the scan nor its label map needs to say anything."""
    cases = tmp_path / "cases"
    add_example(example, cases, plan)
    labels = {"hepar" if name == "liver" else name: label for name, label in plan.dataset["labels"].items()}
    for table in (labels, labels | {"appendix": 14}):
        changed = Plan(plan.plans, plan.dataset | {"labels": table})
        row = add_example(example, cases, changed)
        assert "hepar" in row["found"].split(", ") and "appendix" not in row["found"]
        assert [row["organ"] for row in what_is_learned(example, cases)] == ["background", *changed.organs]


def test_cases_that_are_no_longer_learned_from_are_removed_but_stay_cached(example, plan, tmp_path):
    add_example(example, tmp_path / "cases", plan)
    remove_others(tmp_path / "cases", ["another"])
    assert list((tmp_path / "cases").iterdir()) == []
    assert read_array(with_suffix(example.preprocessed, ARRAY)).size


def test_voxels_that_the_teacher_is_unsure_of_are_ignored_and_another_threshold_makes_the_case_anew(
    example, plan, tmp_path
):
    with_ignore = Plan(plan.plans, with_ignore_label(plan.dataset))
    add_example(example, tmp_path / "cases", with_ignore)
    target = with_suffix(tmp_path / "cases" / CASE, LABELS)
    sure = read_array(target)
    confidence = np.full(sure.shape[1:], 99, np.uint8)
    confidence[: len(confidence) // 2] = 60
    write_confidence(confidence, tmp_path / "confidence.b2nd")
    organ, half = sure[0] > 0, confidence < 70
    liver = half & (sure[0] == 1)
    ignored = {(0.7, 0.7): half, (0.5, 0.5): half & False, (0.5, 0.9): half & ~organ, (0.9, 0): half & organ}
    bounds = [(of_all(plan, *least), where) for least, where in ignored.items()]
    for least, where in (*bounds, ({"liver": 0.9, "spleen": 0.6, "background": 0}, liver)):
        unsure = replace(example, voxels=tmp_path / "confidence.b2nd", least_confidence=least)
        row = add_example(unsure, tmp_path / "cases", with_ignore)
        assert f"liver below {least['liver']:g}, " in row["made_from"]
        assert ("background below" in row["made_from"]) == bool(least["background"])
        assert (read_array(target)[0] == np.where(where, 14, sure[0])).all()
    drawn = read_properties(tmp_path / "cases" / CASE)["class_locations"]
    assert set(drawn) >= set(range(1, 14))


def test_background_of_a_teacher_that_lacks_organs_is_ignored_and_its_organs_are_learned(example, plan, tmp_path):
    with_ignore = Plan(plan.plans, with_ignore_label(plan.dataset))
    add_example(example, tmp_path / "cases", with_ignore)
    sure = read_array(with_suffix(tmp_path / "cases" / CASE, LABELS))
    row = add_example(replace(example, lacking=("aorta", "spleen")), tmp_path / "cases", with_ignore)
    found = read_array(with_suffix(tmp_path / "cases" / CASE, LABELS))
    assert (found == np.where(sure > 0, sure, 14)).all() and (found == 14).any() and (found < 14).any()
    assert row["made_from"].endswith("ignored: background, without aorta and spleen")


def test_what_a_teacher_marks_is_read_from_its_label_maps_records(plan, tmp_path):
    organs = list(plan.organs)
    pseudo = tmp_path / "pseudo_labels"
    for case, marked, undecided in (("a", organs, False), ("b", organs[:-1], False), ("c", organs, True)):
        volumes = [{"organ": organ, "volume_ml": 9.0 if organ != "liver" else 0.0} for organ in marked]
        record = {"scores": volumes, "undecided": undecided}
        (pseudo / "scores").mkdir(parents=True, exist_ok=True)
        (pseudo / f"scores/{case}.json").write_text(json.dumps(record))
    tables = {
        "converted": pd.DataFrame({"case": list("abc"), "label_map": None}),
        "preprocessed": pd.DataFrame({"case": list("abc"), "preprocessed": list("abc")}),
        "selection": pd.DataFrame({"case": list("abc"), "decision": "kept", "masked": None, "confidence": 0.9}),
    }
    for name, table in tables.items():
        write_table(table, tmp_path / f"{name}.tsv")
    paths = [tmp_path / f"{name}.tsv" for name in tables]
    for bounds in ((0.0, 0.0), (0.5, 0.9)):
        found = make_training_set.examples(*paths, pseudo, of_all(plan, *bounds), organs)
        assert [each.lacking for each in found] == [(), tuple(organs[-1:]), ()]
        # Those of the organs that the case has.
        of_case = {organ: bounds[0] for organ in organs if organ != "liver"} | {"background": bounds[1]}
        lacking = {organ: bound for organ, bound in of_case.items() if organ != organs[-1]}
        undecided = of_case | {"background": max(bounds[1], 0.01)}
        expected = [of_case, lacking, undecided] if any(bounds) else [{}, {}, undecided]
        assert [each.least_confidence for each in found] == expected
        assert [each.voxels is not None for each in found] == [any(bounds), any(bounds), True]
    assert make_training_set.of_unmarked_organs(found) == [
        "left kidney: not marked by the teacher, so background is left out of the loss in 1 pseudo-labels"
    ]


def test_a_voxel_of_one_per_cent_is_decided():
    confidence, labels = np.array([[[0, 1]]], np.uint8), np.zeros((1, 1, 2), np.int16)
    assert unsure_voxels(confidence, labels, [make_training_set.DECIDED]).tolist() == [[[True, False]]]


def test_soft_targets_keep_what_is_ignored_and_a_label_that_is_neither_class_is_hard():
    soft = np.array([[5, 5, 5, 5, 0], [0, 0, 0, 0, 5], [90, 80, 70, 60, 55]], np.uint8)[:, None, None]
    labels = np.array([5, 14, 7, 0, -1], np.int16)[None, None, None]
    found = soft_targets(labels, soft, 14)[:, 0, 0]
    assert found.dtype == np.int16
    assert found.tolist() == [[5, 14, 7, 5, -1], [0, 14, 7, 0, -1], [90, 100, 100, 60, 100]]


def test_soft_targets_of_another_grid_are_those_of_the_nearest_voxel():
    soft = np.array([[1, 2], [0, 0], [60, 80]], np.uint8)[:, None, None]
    found = soft_targets(np.array([1, 1, 2, 2], np.int16)[None, None, None], soft, 14)
    assert found[:, 0, 0].tolist() == [[1, 1, 2, 2], [0, 0, 0, 0], [60, 60, 80, 80]]


def test_with_soft_targets_every_case_has_three_numbers_a_voxel(example, plan, tmp_path):
    target = with_suffix(tmp_path / "cases" / CASE, LABELS)
    hard_row = add_example(example, tmp_path / "cases", plan)
    labels = read_array(target)
    row = add_example(example, tmp_path / "cases", plan, soft=True)
    assert (read_array(target) == np.concatenate([labels, labels, np.full_like(labels, 100)])).all()
    assert row["made_from"] != hard_row["made_from"]
    drawn = read_properties(tmp_path / "cases" / CASE)["class_locations"]
    assert {voxels.shape[1] for voxels in drawn.values()} == {4} and set(drawn) == set(range(1, 14))

    first = labels[0].clip(min=0).astype(np.uint8)
    soft = np.stack([first, np.where(first == 3, 1, first), np.where(first == 3, 60, 100).astype(np.uint8)])
    write_soft_labels(soft, tmp_path / "soft.b2nd")
    pseudo = replace(example, origin="pseudo", soft=tmp_path / "soft.b2nd")
    add_example(pseudo, tmp_path / "cases", plan, soft=True)
    found = read_array(target)
    assert (found[0] == labels[0]).all() and (found[2] == np.where(labels[0] == 3, 60, 100)).all()


def test_unsure_background_stays_in_the_loss_near_an_organ_of_its_usual_size(example, plan, tmp_path):
    with_ignore = Plan(plan.plans, with_ignore_label(plan.dataset))
    add_example(example, tmp_path / "cases", with_ignore)
    target = with_suffix(tmp_path / "cases" / CASE, LABELS)
    labels = read_array(target)
    runner_up = np.where(labels[0] > 0, 0, 1).astype(np.uint8)
    write_confidence(np.full(labels.shape[1:], 60, np.uint8), tmp_path / "confidence.b2nd")
    first = labels[0].clip(min=0).astype(np.uint8)
    write_soft_labels(np.stack([first, runner_up, np.full_like(first, 60)]), tmp_path / "soft.b2nd")
    voxels, soft = tmp_path / "confidence.b2nd", tmp_path / "soft.b2nd"
    unsure = replace(example, voxels=voxels, least_confidence=of_all(plan, 0.5, 0.9), soft=soft)
    add_example(unsure, tmp_path / "cases", with_ignore)
    assert (read_array(target)[0] == np.where(labels[0] > 0, labels[0], 14)).all()
    row = add_example(replace(unsure, surfaces=(20.0, ("liver",))), tmp_path / "cases", with_ignore)
    assert "but for 20 mm around liver in " in row["made_from"]
    kept = read_array(target)[0] <= 0
    near = distance_transform_edt(labels[0] != 1, sampling=plan.configuration.spacing) <= 20
    assert (kept == (near & (labels[0] <= 0))).all() and kept.any()
    assert (read_array(target)[0][kept] == labels[0][kept]).all()


def test_what_is_undecided_stays_out_of_the_loss_near_an_organ_too(example, plan, tmp_path):
    with_ignore = Plan(plan.plans, with_ignore_label(plan.dataset))
    add_example(example, tmp_path / "cases", with_ignore)
    target = with_suffix(tmp_path / "cases" / CASE, LABELS)
    labels = read_array(target)
    confidence = np.where(labels[0] > 0, 99, np.arange(labels[0].size).reshape(labels[0].shape) % 2 * 60)
    write_confidence(confidence.astype(np.uint8), tmp_path / "confidence.b2nd")
    first = labels[0].clip(min=0).astype(np.uint8)
    write_soft_labels(np.stack([first, np.ones_like(first), np.full_like(first, 60)]), tmp_path / "soft.b2nd")
    unsure = replace(
        example, voxels=tmp_path / "confidence.b2nd", least_confidence={"background": 0.9},
        soft=tmp_path / "soft.b2nd", surfaces=(20.0, ("liver",)),
    )  # fmt: skip
    for undecided in (False, True):
        shutil.rmtree(tmp_path / "cases")
        add_example(replace(unsure, undecided=undecided), tmp_path / "cases", with_ignore)
        kept = confidence[read_array(target)[0] == 0]
        assert (kept == 0).any() != undecided and (kept == 60).any()


def test_which_organs_have_their_usual_size_is_known_from_the_labelled_scans(tmp_path):
    measures = pd.DataFrame({"organ": ["liver"] * 3 + ["spleen"] * 3, "volume_ml": [1000, 1500, 1400, 0, 100, 300]})
    write_table(measures, tmp_path / "measures.tsv")
    usual = make_training_set.usual_volumes_ml(tmp_path / "measures.tsv")
    assert usual == {"liver": 1400, "spleen": 200}
    rows = [{"organ": "liver", "volume_ml": 1399.0}, {"organ": "spleen", "volume_ml": 200.0}]
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores/a.json").write_text(json.dumps({"scores": rows}))
    tables = {
        "converted": pd.DataFrame({"case": ["a"], "label_map": None}),
        "preprocessed": pd.DataFrame({"case": ["a"], "preprocessed": "a"}),
        "selection": pd.DataFrame({"case": ["a"], "decision": "kept", "masked": None, "confidence": 0.9}),
    }
    for name, table in tables.items():
        write_table(table, tmp_path / f"{name}.tsv")
    paths = [tmp_path / f"{name}.tsv" for name in tables]
    least = {"liver": 0.5, "spleen": 0.5, "background": 0.9}
    (found,) = make_training_set.examples(*paths, tmp_path, least, ["liver", "spleen"], False, 10.0, usual)
    assert found.surfaces == (10.0, ("spleen",)) and found.soft == tmp_path / "soft/a.b2nd"


LABELLED = ("liver", "spleen")


@pytest.fixture
def partly(example, plan, tmp_path):
    """The same scan with only the liver and the spleen labelled, and whole as a teacher's label map of it."""
    whole = read_image(example.label_map)
    voxels = sitk.GetArrayFromImage(whole)
    by_hand = tmp_path / "by_hand.nii.gz"
    labels = [plan.organs[organ] for organ in LABELLED]
    write_image(image_like(np.where(np.isin(voxels, labels), voxels, 0).astype(np.uint8), whole), by_hand)
    unlabelled = tuple(organ for organ in plan.organs if organ not in LABELLED)
    hand = replace(example, label_map=by_hand, unlabelled=unlabelled)
    filled = replace(
        hand, case=f"{CASE}+filled", origin="filled", label_map=example.label_map, by_hand=by_hand, confidence=0.9
    )
    return hand, filled


def added(example, folder, plan, soft=False):
    """What stands in the dataset, (1 or 3, z, y, x), and the row."""
    row = add_example(example, folder, plan, soft, label_sets([example], plan))
    return read_array(with_suffix(folder / example.case, LABELS)), row


def test_background_of_a_partly_labelled_scan_is_a_set_and_patches_are_drawn_from_its_organs(partly, plan, tmp_path):
    hand, _ = partly
    sets = label_sets([hand], plan)
    assert sets.sets == ((0, *(label for organ, label in plan.organs.items() if organ not in LABELLED)),)
    labels, row = added(hand, tmp_path / "cases", plan)
    assert np.unique(labels).tolist() == [1, 3, 15] and row["found"] == "liver, spleen"
    assert row["made_from"].endswith(" as 15") and "without right kidney and pancreas" in row["made_from"]
    assert "filled" not in row and whose_labels(hand, plan.organs) == {"organs": "liver, spleen", "filled": ""}
    rows = {one["organ"]: one for one in what_is_learned(hand, tmp_path / "cases")}
    assert rows["background"]["left_out"] == rows["background"]["voxels"] and rows["liver"]["left_out"] == 0
    assert (added(hand, tmp_path / "soft", plan, soft=True)[0][0] == labels[0]).all()


@pytest.fixture
def merged(example, partly, plan, tmp_path):
    """A teacher's labels on the grid, of the scan's own label map, and what the hand labels make of such."""
    whole, _ = added(example, tmp_path / "cases", plan)
    by_hand, _ = added(partly[0], tmp_path / "by_hand", plan)

    def merge(teacher_zyx, trusted=True):
        """Those of (z, y, x) that are trusted, where they are background or an organ that is not labelled by hand."""
        is_taught = ~np.isin(teacher_zyx, (1, 3)) & trusted
        return np.where(by_hand[0] < 15, by_hand[0], np.where(is_taught, teacher_zyx, 15))

    return whole[0], merge


def test_a_teacher_fills_what_is_not_labelled_and_no_more(partly, merged, plan, tmp_path):
    _, filled = partly
    whole, merge = merged
    labels, row = added(filled, tmp_path / "filled", plan)
    assert (labels[0] == merge(whole)).all() and row["origin"] == "filled" and row["found"] == ", ".join(plan.organs)
    masked = replace(filled, masked=("aorta",))
    labels, row = added(masked, tmp_path / "filled", plan)
    near = distance_transform_edt(whole != 5, sampling=plan.configuration.spacing) <= 10
    assert (labels[0] == merge(whole, (whole != 5) & ~(near & (whole <= 0)))).all()
    assert "ignored: aorta, hand labels" in row["made_from"]
    assert {one["organ"]: one["left_out"] for one in what_is_learned(masked, tmp_path / "filled")}["aorta"]
    left = replace(masked, missed=("aorta", "pancreas"))
    rest = ", ".join(organ for organ in plan.organs if organ not in (*LABELLED, "aorta", "pancreas"))
    assert whose_labels(left, plan.organs) == {"organs": ", ".join(LABELLED), "filled": rest}


def test_what_is_learned_from_a_filled_scan_is_counted_in_its_targets(partly, plan, tmp_path):
    """The teacher calls the aorta liver, which is labelled by hand: no voxel of the liver is won or left out."""
    _, filled = partly
    teacher = read_image(filled.label_map)
    voxels = sitk.GetArrayFromImage(teacher)
    write_image(image_like(np.where(voxels == 5, 1, voxels).astype(np.uint8), teacher), tmp_path / "teacher.nii.gz")
    wrong = replace(filled, label_map=tmp_path / "teacher.nii.gz", masked=("spleen", "pancreas"))
    labels, _ = added(wrong, tmp_path / "filled", plan)
    rows = {row["label"]: row for row in what_is_learned(wrong, tmp_path / "filled")}
    for label, row in rows.items():
        assert row["voxels"] - row["left_out"] == (labels[0].clip(min=0) == label).sum()
    assert rows[1]["left_out"] == rows[3]["left_out"] == rows[5]["voxels"] == 0 < rows[4]["left_out"]
    assert sum(row["voxels"] for row in rows.values()) == labels.size


def test_where_the_teacher_is_not_sure_a_filled_voxel_stays_the_set(partly, merged, plan, tmp_path):
    _, filled = partly
    whole, merge = merged
    confidence = np.full(whole.shape, 99, np.uint8)
    confidence[: len(confidence) // 2] = 60
    write_confidence(confidence, tmp_path / "confidence.b2nd")
    unsure = replace(filled, voxels=tmp_path / "confidence.b2nd", least_confidence=of_all(plan, 0.5, 0.9))
    labels, _ = added(unsure, tmp_path / "filled", plan)
    assert (labels[0] == merge(whole, (confidence > 70) | (whole > 0))).all()


def test_background_is_not_filled_in_for_organs_that_the_teacher_missed(partly, merged, plan, tmp_path):
    """It is background or one of these: not an organ that was found, whose surface is where the teacher found it."""
    _, filled = partly
    whole, merge = merged
    found = replace(filled, missed=("aorta", "gallbladder"), lacking=("aorta",), masked=("gallbladder",))
    sets = label_sets([found], plan)
    assert sets.sets == ((0, 2, *range(4, 14)), (0, 5, 9)) and sets.code_of([0, 5, 9]) == 16
    near = distance_transform_edt(whole != 9, sampling=plan.configuration.spacing) <= 10
    expected = merge(whole, (whole != 9) & ~(near & (whole <= 0)))
    labels, row = added(found, tmp_path / "filled", plan)
    assert (labels[0] == np.where(expected <= 0, 16, expected)).all()
    assert "background, without aorta and gallbladder" in row["made_from"]
    assert row["made_from"].endswith(" as 15, the teacher's background as 16")
    rows = {one["organ"]: one for one in what_is_learned(found, tmp_path / "filled")}
    assert rows["background"]["left_out"] == rows["background"]["voxels"] and rows["pancreas"]["left_out"] == 0
    # More sets than there are codes: that of the hand labels.
    whole_set = LabelSets.of([sets.sets[0]], plan.classes)
    add_example(found, tmp_path / "few", plan, sets=whole_set)
    labels = read_array(with_suffix(tmp_path / "few" / found.case, LABELS))
    assert (labels[0] == np.where(expected <= 0, 15, expected)).all()


def test_a_filled_scan_has_soft_targets_where_both_classes_are_the_teachers_to_say(partly, merged, plan, tmp_path):
    _, filled = partly
    whole, merge = merged
    first = whole.clip(min=0).astype(np.uint8)
    second = np.where(np.arange(len(first))[:, None, None] % 2, 1, np.where(first == 6, 0, 6)).astype(np.uint8)
    write_soft_labels(np.stack([first, second, np.full_like(first, 80)]), tmp_path / "soft.b2nd")
    targets, row = added(replace(filled, soft=tmp_path / "soft.b2nd"), tmp_path / "filled", plan, soft=True)
    assert f"soft targets of {sha256(tmp_path / 'soft.b2nd')}, hand labels" in row["made_from"]
    # The liver is labelled by hand: where it is the teacher's first class elsewhere the voxel stays a set.
    assert (targets[0] == merge(whole)).all()
    is_soft = (targets[0] == first) & ~np.isin(first, (1, 3)) & (second != 1) & (whole >= 0)
    assert (targets[1] == np.where(is_soft, second, targets[0])).all()
    assert (targets[2] == np.where(is_soft, 80, 100)).all() and is_soft.any()
    missed = replace(filled, soft=tmp_path / "soft.b2nd", missed=("aorta",))
    of_missed, _ = added(missed, tmp_path / "missed", plan, soft=True)
    for channel in (0, 1):
        assert (of_missed[channel] == np.where(targets[channel] <= 0, 16, targets[channel])).all()
    assert (of_missed[2] == targets[2]).all()


def test_filled_scans_are_those_that_were_kept_beside_the_scans_as_they_were_labelled(plan, tmp_path):
    organs = list(plan.organs)
    (tmp_path / "scores").mkdir()
    for case in "abu":
        rows = [{"organ": organ, "volume_ml": 2.0 if organ == "aorta" else 9.0} for organ in organs[:-1]]
        (tmp_path / f"scores/{case}.json").write_text(json.dumps({"scores": rows}))
    tables = {
        "converted": pd.DataFrame({"case": list("abcu"), "label_map": ["a.nii", "b.nii", "c.nii", None]}),
        "preprocessed": pd.DataFrame({"case": list("abcu"), "preprocessed": list("abcu")}),
        "selection": pd.DataFrame({"case": ["u"], "decision": "kept", "masked": "liver", "confidence": 0.9}),
        "filling": pd.DataFrame(
            {"case": list("ab"), "decision": ["kept", "dropped"], "masked": ["liver, spleen", None], "confidence": 0.9}
        ),
        "cases": pd.DataFrame(
            {"case": list("abcu"), "role": [*["labelled"] * 3, "unlabelled"],
             "organs": ["1 2", "1 2", " ".join(map(str, plan.organs.values())), None]}
        ),
    }  # fmt: skip
    paths = {name: tmp_path / f"{name}.tsv" for name in tables}
    for name, table in tables.items():
        write_table(table, paths[name])
    unlabelled = make_training_set.unlabelled_organs(paths["cases"], plan.organs)
    assert unlabelled == dict.fromkeys("ab", organs[2:])
    found = make_training_set.examples(
        paths["converted"], paths["preprocessed"], paths["selection"], tmp_path, of_all(plan, 0.5, 0.9), organs,
        unlabelled=unlabelled, filling=paths["filling"], usual_ml={"aorta": 4.1, "pancreas": 17.9},
    )  # fmt: skip
    assert [(one.case, one.origin) for one in found] == [
        *((case, "labelled") for case in "abc"), ("u", "pseudo"), ("a+filled", "filled")
    ]  # fmt: skip
    assert [one.unlabelled for one in found] == [*[tuple(organs[2:])] * 2, (), (), tuple(organs[2:])]
    filled = found[-1]
    assert str(filled.by_hand) == "a.nii" and filled.label_map == tmp_path / "a.nii.gz"
    assert str(filled.preprocessed) == "a"
    # The liver is labelled by hand, so that it is masked says nothing.
    assert filled.masked == ("spleen",) and filled.lacking == (organs[-1],)
    assert "spleen" not in filled.least_confidence and filled.least_confidence["background"] == 0.9
    # Of the aorta there is less than half of the usual volume, of the pancreas more.
    assert filled.missed == ("spleen", "aorta", organs[-1])


def corrected_tables(folder, plan, organs):
    """Scans of which `a` is labelled, `b` corrected, `c` corrected in some `organs`, and the teacher labelled all."""
    (folder / "scores").mkdir()
    for case in "bcu":
        rows = [{"organ": organ, "volume_ml": 9.0} for organ in plan.organs]
        (folder / f"scores/{case}.json").write_text(json.dumps({"scores": rows}))
    everything = " ".join(map(str, plan.organs.values()))
    tables = {
        "converted": pd.DataFrame({"case": list("abcu"), "label_map": ["a.nii", None, None, None]}),
        "preprocessed": pd.DataFrame({"case": list("abcu"), "preprocessed": list("abcu")}),
        "selection": pd.DataFrame(
            {"case": list("bcu"), "decision": ["corrected", "kept", "kept"], "masked": None, "confidence": 0.9}
        ),
        "corrected": pd.DataFrame({"case": list("bc"), "organs": [everything, organs]}),
    }
    for name, table in tables.items():
        write_table(table, folder / f"{name}.tsv")
    return [folder / f"{name}.tsv" for name in list(tables)[:3]], tables["corrected"]


def test_corrected_scans_are_whole_hard_hand_labels_and_partly_corrected_ones_are_filled(plan, tmp_path):
    organs = list(plan.organs)
    paths, corrections = corrected_tables(tmp_path, plan, "1 2")
    unlabelled = make_training_set.unlabelled_in(corrections, plan.organs)
    assert unlabelled == {"c": organs[2:]}
    found = make_training_set.examples(
        *paths, tmp_path, of_all(plan, 0.5, 0.9), organs, soft=True, unlabelled=unlabelled,
        corrected={case: Path(f"{case}.corrected.nii.gz") for case in "bc"},
    )  # fmt: skip
    assert [(one.case, one.origin) for one in found] == [
        ("a", "labelled"), ("b", "corrected"), ("c", "corrected"), ("c+filled", "filled"), ("u", "pseudo")
    ]  # fmt: skip
    of_case = {one.case: one for one in found}
    for case in "bc":
        one = of_case[case]
        assert one.label_map.name == f"{case}.corrected.nii.gz" and one.confidence is None
        assert not (one.masked or one.voxels or one.least_confidence or one.soft or one.lacking)
    assert of_case["b"].unlabelled == () and of_case["c"].unlabelled == tuple(organs[2:])
    filled = of_case["c+filled"]
    assert filled.by_hand.name == "c.corrected.nii.gz" and filled.label_map == tmp_path / "c.nii.gz" and filled.soft
    assert whose_labels(of_case["b"], organs)["organs"] == ", ".join(organs)
    assert whose_labels(filled, organs) == {"organs": ", ".join(organs[:2]), "filled": ", ".join(organs[2:])}


def test_corrected_scans_validate_only_where_that_is_asked_and_leave_the_other_folds_as_they_are():
    labelled, corrected = list("abcd"), list("xyz")
    plain = splits(labelled, corrected, 2, 1)
    assert [fold["val"] for fold in plain] == [fold["val"] for fold in splits(labelled, [], 2, 1)]
    assert all({*corrected} <= {*fold["train"]} for fold in plain)
    asked = splits(labelled, ["u", "x+filled"], 2, 1, corrected)
    assert [[case for case in fold["val"] if case in labelled] for fold in asked] == [fold["val"] for fold in plain]
    assert sorted(case for fold in asked for case in fold["val"] if case in corrected) == corrected
    for fold in asked:
        assert not {case.removesuffix("+filled") for case in fold["train"]} & {*fold["val"]} and "u" in fold["train"]
