"""Bootstrap intervals over cases."""

import numpy as np
from scipy.stats import bootstrap

RESAMPLES = 2000
BATCH = 100
LEVEL = 0.95
SEED = 20220601


def mean_over_organs(values: np.ndarray) -> np.ndarray:
    """The mean of `values` (..., cases, organs) per organ over the cases that have it, then over organs.

    Organs that no case has (NaN throughout) do not count; some case must have one.
    """
    known = ~np.isnan(values)
    if known.all():
        return values.mean(axis=(-2, -1))
    cases = known.sum(axis=-2)
    means = np.where(known, values, 0).sum(axis=-2) / np.maximum(cases, 1)
    return means.sum(axis=-1) / (cases > 0).sum(axis=-1)


def mean_interval(values: np.ndarray, seed: int = SEED) -> tuple[float, float]:
    """The percentile bootstrap's 95 % interval of the mean of `values` (cases, organs), as `mean_over_organs` takes it.

    Whole cases are drawn, so organs of one scan stay together. Empty (NaN) with fewer than two cases.
    """
    if len(values) < 2:
        return np.nan, np.nan

    def mean_of_drawn(case: np.ndarray, axis: int = -1) -> np.ndarray:
        return mean_over_organs(values[case.astype(np.intp)])

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
