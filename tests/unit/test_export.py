import numpy as np
import pytest
import torch
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape

from noisy_student.learning.export import label_map_of
from noisy_student.learning.preprocessing import Plan


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
    ],
)
def test_slab_by_slab_equals_nnunets_export(plan, network_spacing, network_shape, scan_spacing, scan_shape, crop):
    configuration = plan.plans["configurations"]["3d_fullres"] | {"spacing": list(map(float, network_spacing))}
    here = Plan(plan.plans | {"configurations": {"3d_fullres": configuration}}, plan.dataset)
    logits, properties = logits_of(network_shape), properties_of(scan_shape, scan_spacing, crop)
    manager = here.manager
    stock = convert_predicted_logits_to_segmentation_with_correct_shape(
        logits.clone(), manager, here.configuration, manager.get_label_manager(here.dataset), properties
    )
    ours = label_map_of(logits, properties, here)
    assert ours.shape == stock.shape == tuple(scan_shape) and ours.dtype == np.uint8
    assert len(np.unique(stock)) > 5
    # Rounding alone may decide between two classes that are equally likely.
    assert (ours != stock).mean() <= 1e-4


def test_logits_in_half_precision_are_taken(plan):
    properties = properties_of((21, 36, 44), (5, 3.3, 3.3))
    full, half = (
        label_map_of(logits_of((13, 20, 24)).to(kind), properties, plan) for kind in (torch.float, torch.half)
    )
    assert (full != half).mean() < 0.01


def test_a_coarse_axis_that_is_not_z_is_an_error(plan):
    with pytest.raises(ValueError, match="not z"):
        label_map_of(logits_of((13, 20, 24)), properties_of((21, 36, 44), (1, 1, 9)), plan)
