import numpy as np
import pytest
from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg_to_shape
from scipy.ndimage import zoom
from threadpoolctl import threadpool_info, threadpool_limits

from noisy_student.plan import image_resampling
from noisy_student.plan.image_resampling import resample_image, resample_mask

SHAPE = (20, 26, 30)
GRIDS = {
    "finer": ((33, 40, 41), (3.0, 2.0, 2.0), (1.8, 1.3, 1.46)),
    "several bands": ((70, 80, 90), (3.0, 2.0, 2.0), (0.857, 0.65, 0.667)),
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


@pytest.mark.parametrize(("old", "new"), [(512, 341), (341, 512), (512, 512)])
def test_of_a_matrix_only_the_band_that_counts_is_multiplied(old, new):
    values = np.random.default_rng(1).normal(0, 1, (old, 3))
    bands = image_resampling._spline_bands(old, new)
    whole = np.eye(old) if old == new else zoom(np.eye(old), (new / old, 1), order=3, mode="nearest", grid_mode=True)
    np.testing.assert_allclose(image_resampling._product(bands, values), whole @ values, rtol=1e-12, atol=1e-12)
    assert sum(weights.size for _, _, weights in bands) < whole.size / 2


def test_one_thread_multiplies(monkeypatch):
    """Beside OpenVINO, or another preprocessing, two take four times the time of one."""
    threads, product = [], image_resampling._product

    def counted(*given):
        threads.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return product(*given)

    monkeypatch.setattr(image_resampling, "_product", counted)
    with threadpool_limits(2, "blas"):
        resample_image(np.zeros((1, 4, 5, 6), np.float32), (5, 6, 7), (1, 1, 1), (0.8, 0.8, 0.8))
    assert set(threads) == {1}


def test_a_mask_is_nnunets(grid):
    mask = np.random.default_rng(1).integers(-1, 1, (1, *SHAPE), dtype=np.int8)
    mask[:, 5:15, 4:20, 6:] = 0
    stock = resample_data_or_seg_to_shape(mask, *grid, True, 1, 0, None)
    found = resample_mask(mask, *grid)
    assert found.dtype == stock.dtype and (found == stock).all()
