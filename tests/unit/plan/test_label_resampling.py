import numpy as np
import pytest
from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg

from noisy_student.plan import label_resampling
from noisy_student.plan.label_resampling import resample_labels


def crowded(shape_zyx, seed):
    """Blocks of random labels down to single voxels, so that many labels meet."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 14, [-(-size // 3) for size in shape_zyx], dtype=np.uint8)
    label_map = coarse.repeat(3, 0).repeat(3, 1).repeat(3, 2)[tuple(map(slice, shape_zyx))]
    return np.where(random.random(shape_zyx) < 0.1, random.integers(0, 14, shape_zyx), label_map).astype(np.uint8)


@pytest.mark.parametrize("apart", [None, 0, 1, 2])
@pytest.mark.parametrize(
    "shape_zyx",
    [
        pytest.param((24, 40, 36), id="doubled, every border ties"),
        pytest.param((6, 10, 9), id="halved"),
        pytest.param((17, 13, 31), id="odd"),
        pytest.param((12, 33, 18), id="one axis"),
        pytest.param((1, 50, 7), id="one slice"),
    ],
)
def test_every_voxel_is_that_of_nnunet(shape_zyx, apart):
    label_map = crowded((12, 20, 18), seed=sum(shape_zyx))
    stock = resample_data_or_seg(
        label_map[None].astype(np.int16), shape_zyx, True, apart, 1, apart is not None, order_z=0
    )[0]
    found = resample_labels(label_map, shape_zyx, apart)
    assert found.shape == shape_zyx and len(np.unique(stock)) == 14
    assert (found == stock).all()


def test_the_same_grid_is_not_resampled():
    label_map = crowded((5, 6, 7), seed=0)
    assert (resample_labels(label_map, label_map.shape, 0) == label_map).all()


@pytest.mark.parametrize("apart", [None, 0])
@pytest.mark.parametrize("shape_zyx", [(24, 40, 36), (6, 10, 9), (17, 13, 31), (12, 33, 18)])
@pytest.mark.parametrize(
    "organs", [(slice(0, 3), slice(15, 20), slice(4, 5)), (slice(11, 12), slice(0, 9), slice(17, 18))]
)
def test_what_lies_around_the_organs_is_background(organs, shape_zyx, apart):
    label_map = np.zeros((12, 20, 18), np.uint8)
    label_map[organs] = 1 + crowded((12, 20, 18), seed=3)[organs]
    stock = resample_data_or_seg(
        label_map[None].astype(np.int16), shape_zyx, True, apart, 1, apart is not None, order_z=0
    )[0]
    assert (resample_labels(label_map, shape_zyx, apart) == stock).all()


def test_an_organ_that_no_voxel_of_the_grid_meets_is_lost_and_nothing_else():
    label_map = np.zeros((9, 9, 9), np.uint8)
    assert not resample_labels(label_map, (3, 3, 3), None).any()
    label_map[0, 0, 0] = 1
    assert not resample_labels(label_map, (3, 3, 3), None).any()


def test_borders_in_several_parts_are_the_same(monkeypatch):
    label_map = crowded((12, 20, 18), seed=4)
    whole = resample_labels(label_map, (17, 13, 31), None)
    monkeypatch.setattr(label_resampling, "AT_ONCE", 100)
    assert (resample_labels(label_map, (17, 13, 31), None) == whole).all()
