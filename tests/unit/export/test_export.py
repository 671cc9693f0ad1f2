import numpy as np
import pytest
import torch
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape

from noisy_student.model import label_map as label_map_module
from noisy_student.model.certainty import certainty_of
from noisy_student.model.label_map import label_map_of
from noisy_student.plan.preprocessing import Plan


def logits_of(shape_zyx, classes=14, seed=0):
    """Smooth random logits (class, z, y, x), as a network's are."""
    coarse = torch.from_numpy(np.random.default_rng(seed).normal(size=(1, classes, 4, 5, 6)).astype(np.float32))
    return 5 * torch.nn.functional.interpolate(coarse, size=shape_zyx, mode="trilinear")[0]


def properties_of(shape_zyx, spacing_mm_zyx, crop=0):
    inner = [size - crop for size in shape_zyx]
    return {
        "spacing": list(spacing_mm_zyx),
        "shape_before_cropping": tuple(shape_zyx),
        "shape_after_cropping_and_before_resampling": tuple(inner),
        "bbox_used_for_cropping": [[crop // 2, crop // 2 + size] for size in inner],
    }


@pytest.mark.parametrize(
    ("network_spacing", "network_shape", "scan_spacing", "scan_shape", "crop"),
    [
        pytest.param((8, 6, 6), (13, 20, 24), (5, 3.3, 3.3), (21, 36, 44), 0, id="finer"),
        pytest.param((2, 2, 2), (30, 30, 30), (5, 3, 3), (12, 20, 20), 0, id="coarser"),
        pytest.param((3, 1, 1), (20, 40, 40), (5, 0.8, 0.8), (12, 50, 50), 0, id="z apart by the scan"),
        pytest.param((4, 1, 1), (20, 40, 40), (2, 0.8, 0.8), (40, 50, 50), 0, id="z apart by the network"),
        pytest.param((8, 6, 6), (13, 20, 24), (5, 3.3, 3.3), (25, 40, 48), 4, id="cropped"),
        pytest.param((8, 6, 6), (13, 20, 24), (8, 6, 6), (13, 20, 24), 0, id="same grid"),
        pytest.param((8, 6, 6), (1, 20, 24), (8, 3, 3), (1, 40, 48), 0, id="one slice"),
        pytest.param((8, 6, 6), (13, 20, 24), (1.5, 6, 1.5), (50, 20, 60), 0, id="y apart by the scan"),
        pytest.param((1, 2, 6), (40, 20, 24), (0.8, 1.5, 5), (50, 26, 30), 4, id="x apart by the network, cropped"),
    ],
)
def test_slab_by_slab_equals_nnunets_export(plan, network_spacing, network_shape, scan_spacing, scan_shape, crop):
    configuration = plan.plans["configurations"]["3d_fullres"] | {"spacing": list(map(float, network_spacing))}
    here = Plan(plan.plans | {"configurations": {"3d_fullres": configuration}}, plan.dataset)
    logits, properties = logits_of(network_shape), properties_of(scan_shape, scan_spacing, crop)
    assert_equal_to_nnunets(logits, properties, here)


def label_map(logits, properties, plan):
    return label_map_of(logits, certainty_of(logits)[1], properties, plan)


def assert_equal_to_nnunets(logits, properties, plan):
    stock = convert_predicted_logits_to_segmentation_with_correct_shape(
        logits.clone(), plan.manager, plan.configuration, plan.manager.get_label_manager(plan.dataset), properties
    )
    ours = label_map(logits, properties, plan)
    assert ours.shape == stock.shape and ours.dtype == np.uint8
    assert len(np.unique(stock)) > 5
    # Rounding alone may decide between two classes that are equally likely.
    assert (ours != stock).mean() <= 1e-4


@pytest.mark.parametrize("forward", [(1, 0, 2), (2, 0, 1)])
def test_plans_that_exchange_axes_are_followed(plan, forward):
    backward = [forward.index(axis) for axis in range(3)]
    here = Plan(plan.plans | {"transpose_forward": list(forward), "transpose_backward": backward}, plan.dataset)
    # Spacing in the order of the scan, shapes in the network's, as nnU-Net's preprocessing leaves them.
    spacing_mm = [(5, 3.3, 2.1)[axis] for axis in backward]
    assert_equal_to_nnunets(logits_of((13, 20, 24)), properties_of((25, 40, 68), spacing_mm, crop=4), here)


def test_noise_of_single_voxels_is_nnunets_too(plan):
    """Between voxels of many classes, nothing can be copied."""
    logits = torch.from_numpy(np.random.default_rng(0).normal(size=(14, 9, 12, 12)).astype(np.float16))
    assert_equal_to_nnunets(logits, properties_of((15, 22, 22), (5, 3.3, 3.3)), plan)


@pytest.mark.parametrize(
    "box", [(slice(3, 9), slice(5, 12), slice(9, 24)), (slice(12, 13), slice(0, 1), slice(0, 3)), ()]
)
@pytest.mark.parametrize("spacing", [(5, 3.3, 3.3), (1.5, 6, 1.5), (20, 30, 30)])
def test_organs_in_a_part_of_the_scan_are_nnunets_too(plan, box, spacing):
    """Or in none; on the coarsest grid few of the old voxels are next to new ones."""
    logits, shape = logits_of((13, 20, 24)), (13, 20, 24)
    beyond = torch.ones(shape, dtype=torch.bool)
    beyond[box or slice(0)] = False
    logits[0, beyond] = 50
    properties = properties_of(
        [round(8 * 13 / spacing[0]), round(6 * 20 / spacing[1]), round(6 * 24 / spacing[2])], spacing
    )
    stock = convert_predicted_logits_to_segmentation_with_correct_shape(
        logits.clone(), plan.manager, plan.configuration, plan.manager.get_label_manager(plan.dataset), properties
    )
    assert (label_map(logits, properties, plan) == stock).all()


def test_only_the_slices_that_organs_reach_are_looked_at(plan, monkeypatch):
    looked_at = []
    slice_of = label_map_module._Resampled.slice
    monkeypatch.setattr(
        label_map_module._Resampled, "slice", lambda *given, **how: looked_at.append(1) or slice_of(*given, **how)
    )
    logits = logits_of((13, 20, 24))
    logits[0, :5], logits[0, 6:] = 50, 50
    assert label_map(logits, properties_of((13, 36, 44), (8, 3.3, 3.3)), plan).any() and len(looked_at) == 2


def test_logits_in_half_precision_are_taken(plan):
    properties = properties_of((21, 36, 44), (5, 3.3, 3.3))
    full, half = (label_map(logits_of((13, 20, 24)).to(kind), properties, plan) for kind in (torch.float, torch.half))
    assert (full != half).mean() < 0.01
