"""Bootstrap intervals over cases."""

import numpy as np
from scipy.stats import bootstrap

RESAMPLES = 2000
BATCH = 100
LEVEL = 0.95
SEED = 20220601


def mean_interval(values: np.ndarray, seed: int = SEED) -> tuple[float, float]:
    """The percentile bootstrap's 95 % interval of the mean of `values` (cases, organs).

    Whole cases are drawn, so organs of one scan stay together; the mean is per organ over cases, then over organs.
    Empty (NaN) with fewer than two cases.
    """
    if len(values) < 2:
        return np.nan, np.nan

    def mean_of_drawn(case: np.ndarray, axis: int = -1) -> np.ndarray:
        return values[case.astype(np.intp)].mean(axis=(axis - 1, -1))

    result = bootstrap(
        (np.arange(len(values)),),
        mean_of_drawn,
        n_resamples=RESAMPLES,
        batch=BATCH,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
