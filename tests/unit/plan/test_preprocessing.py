import copy
import os
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from nnunetv2.preprocessing.cropping import cropping
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2

from noisy_student.cohort.converted import converted_image, converted_label_map
from noisy_student.errors import InputError
from noisy_student.images import read_image
from noisy_student.plan.image_resampling import lean_if_default
from noisy_student.plan.preprocessing import (
    ARRAY,
    LABELS,
    PROPERTIES,
    Plan,
    is_whole,
    labels_on_grid,
    preprocess_image,
    preprocessed_image,
    read_array,
    read_properties,
    with_suffix,
)
from noisy_student.train.class_locations import class_locations

CASE = "FLARE22_Tr_0001"


@pytest.fixture(scope="module")
def cached(converted, plan, tmp_path_factory):
    target = tmp_path_factory.mktemp("cache") / CASE
    preprocess_image(converted_image(converted, CASE), target, plan)
    return target


@pytest.fixture(scope="module")
def stock(converted, plan, tmp_path_factory):
    """The case as nnU-Net's own preprocessing makes it, label map included."""
    folder = tmp_path_factory.mktemp("stock")
    DefaultPreprocessor(verbose=False).run_case_save(
        str(folder / CASE),
        [str(converted_image(converted, CASE))],
        str(converted_label_map(converted, CASE)),
        plan.manager,
        plan.configuration,
        plan.dataset,
    )
    image, labels, _, properties = nnUNetDatasetBlosc2(str(folder)).load_case(CASE)
    return image[:], labels[:], properties


def labels_of(cached, converted, plan):
    label_map = sitk.GetArrayFromImage(read_image(converted_label_map(converted, CASE)))
    return labels_on_grid(label_map, read_array(with_suffix(cached, LABELS)), read_properties(cached), plan)


def test_the_cached_image_is_bit_equal_to_nnunets(cached, stock):
    assert (read_array(with_suffix(cached, ARRAY)) == stock[0]).all()


def test_labels_added_later_are_bit_equal_to_nnunets(cached, converted, plan, stock):
    labels = labels_of(cached, converted, plan)
    assert labels.dtype == stock[1].dtype and (labels == stock[1]).all()
    assert set(np.unique(labels)) >= set(range(14))


def test_class_locations_are_nnunets(cached, converted, plan, stock):
    locations = class_locations(labels_of(cached, converted, plan), plan)
    assert list(locations) == list(stock[2]["class_locations"])
    for label, voxels in stock[2]["class_locations"].items():
        assert (locations[label] == voxels).all()


def test_outside_of_the_crop_is_marked_where_no_organ_is(plan):
    label_map = np.zeros((4, 6, 6), np.uint8)
    label_map[1, 2, 2] = 3
    mask = np.full((1, 4, 6, 6), -1, np.int16)
    mask[:, :, 3:] = 0
    properties = {"bbox_used_for_cropping": [(0, 4), (0, 6), (0, 6)], "spacing": plan.configuration.spacing}
    labels = labels_on_grid(label_map, mask, properties, plan)
    assert labels[0, 1, 2, 2] == 3 and labels[0, 0, 0, 0] == -1 and labels[0, 0, 5, 5] == 0


@pytest.mark.parametrize("forward", [[0, 1, 2], [2, 0, 1]])
@pytest.mark.parametrize("scheme", ["CTNormalization", "ZScoreNormalization"])
def test_an_image_in_memory_is_nnunets_to_the_bit_without_a_mask_of_its_crop(plan, monkeypatch, forward, scheme):
    """Zeros around the scan are cut off, such within it are not."""
    voxels = np.zeros((12, 30, 40), np.int16)
    voxels[1:, 4:26, 3:38] = np.random.default_rng(1).normal(0, 300, (11, 22, 35))
    voxels[4:6, 10:14, 10:14] = 0
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((1.5, 1.25, 4.0))
    plans = copy.deepcopy(plan.plans) | {"transpose_forward": forward, "transpose_backward": list(np.argsort(forward))}
    plans["configurations"]["3d_fullres"]["normalization_schemes"] = [scheme]
    other = Plan(plans, plan.dataset)
    expected, _, properties = DefaultPreprocessor(verbose=False).run_case_npy(
        voxels[None], None, {"spacing": [4.0, 1.25, 1.5]}, other.manager, lean_if_default(other.configuration), {}
    )
    monkeypatch.setattr(cropping, "binary_fill_holes", lambda *_: pytest.fail("a mask is made"))
    found, own = preprocessed_image(image, other)
    assert found.dtype == np.float32 and np.array_equal(found, expected) and own == properties
    assert own["bbox_used_for_cropping"] == [[[1, 12], [4, 26], [3, 38]][axis] for axis in forward]


def test_an_image_whose_mask_counts_is_nnunets_too(plan, converted):
    plans = copy.deepcopy(plan.plans)
    plans["configurations"]["3d_fullres"] |= {
        "normalization_schemes": ["ZScoreNormalization"],
        "use_mask_for_norm": [True],
    }
    other, image = Plan(plans, plan.dataset), read_image(converted_image(converted, CASE))
    expected, *_ = DefaultPreprocessor(verbose=False).run_case_npy(
        sitk.GetArrayFromImage(image)[None], None, {"spacing": list(image.GetSpacing()[::-1])}, other.manager,
        lean_if_default(other.configuration), {},
    )  # fmt: skip
    assert np.array_equal(preprocessed_image(image, other)[0], expected)


def test_a_case_made_from_something_else_is_not_whole(cached):
    assert is_whole(cached) and not is_whole(cached, "another scan")


@pytest.mark.parametrize("suffix", [ARRAY, LABELS, PROPERTIES])
def test_a_damaged_or_missing_file_is_seen(cached, tmp_path, suffix):
    case = tmp_path / CASE
    for other in (ARRAY, LABELS, PROPERTIES):
        with_suffix(case, other).write_bytes(with_suffix(cached, other).read_bytes())
    assert is_whole(case)
    damaged = with_suffix(case, suffix)
    damaged.write_bytes(damaged.read_bytes()[:-50])
    assert not is_whole(case)
    damaged.unlink()
    assert not is_whole(case)


def test_half_a_scan_is_no_scan_with_zeros(converted, plan, tmp_path):
    half = tmp_path / f"{CASE}_0000.nii.gz"
    shutil.copy(converted_image(converted, CASE), half)
    os.truncate(half, half.stat().st_size // 2)
    with pytest.raises(InputError, match=rf"{half}[\s\S]*damaged"):
        preprocess_image(half, tmp_path / CASE, plan)
    assert not list(tmp_path.glob("*.pkl"))
