import numpy as np
import pytest
from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg_to_shape

from noisy_student.plan.image_resampling import resample_image, resample_mask

SHAPE = (20, 26, 30)
GRIDS = {
    "finer": ((33, 40, 41), (3.0, 2.0, 2.0), (1.8, 1.3, 1.46)),
    "coarser": ((9, 17, 16), (1.25, 0.98, 0.98), (2.8, 1.5, 1.84)),
    "one axis": ((20, 26, 19), (2.0, 1.0, 1.0), (2.0, 1.0, 1.6)),
    "slices apart": ((31, 20, 22), (5.0, 0.8, 0.8), (3.2, 1.04, 1.09)),
    "rows apart": ((15, 37, 22), (0.8, 5.0, 0.8), (1.07, 3.5, 1.09)),
    "the same": (SHAPE, (3.0, 1.0, 1.0), (3.0, 1.0, 1.0)),
}


@pytest.fixture(params=GRIDS)
def grid(request):
    return GRIDS[request.param]


def test_an_image_is_nnunets_to_the_last_digit_of_float32(grid):
    image = np.random.default_rng(1).normal(0, 1, (1, *SHAPE)).astype(np.float32)
    stock = resample_data_or_seg_to_shape(image, *grid, False, 3, 0, None)
    found = resample_image(image, *grid)
    assert found.dtype == stock.dtype and found.shape == stock.shape
    assert np.mean(found == stock) > 0.999
    np.testing.assert_allclose(found, stock, rtol=2e-7, atol=1e-9)


def test_a_mask_is_nnunets(grid):
    mask = np.random.default_rng(1).integers(-1, 1, (1, *SHAPE), dtype=np.int8)
    mask[:, 5:15, 4:20, 6:] = 0
    stock = resample_data_or_seg_to_shape(mask, *grid, True, 1, 0, None)
    found = resample_mask(mask, *grid)
    assert found.dtype == stock.dtype and (found == stock).all()
