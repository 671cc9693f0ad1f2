"""The challenge's efficiency figures of one case, from samples of its process.

Official figures: the sampler's values are summed and multiplied by the nominal 0.1 s, although a round of the
sampler takes longer. The true ones are integrals over the time stamps. Both stand side by side.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import psutil

from noisy_student.efficiency.outcome import SUCCESS
from noisy_student.efficiency.sampler import NOMINAL_INTERVAL_S, Sample

# FLARE22: memory below this is free in the ranking; a value counts as reached if more than 2 % of samples show it.
TOLERANCE_MB = 2048
STABLE_SHARE = 0.02
# FLARE22: the seconds that a case may take, and what one counts that fails or does not end in time.
TIME_LIMIT_S = 3600.0
PENALTY = {
    "seconds": TIME_LIMIT_S,
    "gpu_area_mb_s": 8192 * TIME_LIMIT_S,
    "gpu_area_over_tolerance_mb_s": 8192 * TIME_LIMIT_S,
    "cpu_area_percent_s": 100 * TIME_LIMIT_S,
}

# MB are 2²⁰ bytes; CPU % is of all cores of the machine. `tree_` columns hold the process and its descendants alone,
# the others the whole device or machine. GPU columns are empty without a GPU.
GPU_COLUMNS = (
    *("gpu_max_mb", "gpu_stable_max_mb", "gpu_max_over_tolerance_mb"),
    *("gpu_area_mb_s", "gpu_area_true_mb_s", "gpu_area_over_tolerance_mb_s"),
)
TREE_GPU_COLUMNS = ("tree_gpu_max_mb", "tree_gpu_area_mb_s", "tree_gpu_area_true_mb_s")
CPU_COLUMNS = ("cpu_area_percent_s", "cpu_area_true_percent_s")
TREE_COLUMNS = ("tree_cpu_area_percent_s", "tree_cpu_area_true_percent_s", "tree_cpu_s", "peak_ram_mb")
COLUMNS = (
    *("case", "outcome", "seconds", "measured_seconds", *GPU_COLUMNS, *TREE_GPU_COLUMNS, *CPU_COLUMNS),
    *(*TREE_COLUMNS, "samples", "cores"),
)


def penalties(limit_s: float) -> dict[str, float]:
    """The challenge's penalties; in proportion more with a limit above its own, so that a slow case counts less."""
    return {column: penalty * max(1.0, limit_s / TIME_LIMIT_S) for column, penalty in PENALTY.items()}


def efficiency(
    case: str, outcome: str, samples: Sequence[Sample], tree_cpu_s: float, limit_s: float = TIME_LIMIT_S
) -> dict[str, object]:
    """The row of one case. `samples` begin before the process; `tree_cpu_s` is the system's own account at its end.

    Unless the outcome is "ok", seconds and the official areas are the penalties for the time limit `limit_s`, GPU ones
    only where there is a GPU; `measured_seconds`, the true areas and the `tree_` columns are what was measured.
    """
    cores = psutil.cpu_count() or 1
    seconds = samples[-1].time_s
    row = {
        **{"case": case, "outcome": outcome, "seconds": seconds, "measured_seconds": seconds},
        **_gpu(samples),
        **_tree_gpu(samples),
        **_cpu(samples),
        **_tree(samples, tree_cpu_s, cores),
        **{"samples": len(samples) - 1, "cores": cores},
    }
    if outcome != SUCCESS:
        row |= {column: penalty for column, penalty in penalties(limit_s).items() if row[column] is not None}
    return row


def _gpu(samples: Sequence[Sample]) -> dict[str, float | None]:
    curve_mb = [sample.gpu_mb for sample in samples]
    if None in curve_mb:
        return dict.fromkeys(GPU_COLUMNS)
    stable = stable_maximum(curve_mb[1:])
    areas = (
        nominal_area(curve_mb[1:]),
        trapezoid_area(samples, curve_mb),
        nominal_area(map(over_tolerance, curve_mb[1:])),
    )
    return dict(zip(GPU_COLUMNS, (max(curve_mb[1:]), stable, over_tolerance(stable), *areas), strict=True))


def _tree_gpu(samples: Sequence[Sample]) -> dict[str, float | None]:
    if all(sample.tree_gpu_mb is None for sample in samples):
        return dict.fromkeys(TREE_GPU_COLUMNS)
    curve_mb = [sample.tree_gpu_mb or 0 for sample in samples]
    areas = nominal_area(curve_mb[1:]), trapezoid_area(samples, curve_mb)
    return dict(zip(TREE_GPU_COLUMNS, (max(curve_mb), *areas), strict=True))


def _cpu(samples: Sequence[Sample]) -> dict[str, float]:
    """A sample's utilisation is the mean since the sample before, so the true area is a sum of rectangles."""
    true = sum(after.machine_cpu_percent * (after.time_s - before.time_s) for before, after in pairwise(samples))
    official = nominal_area(sample.machine_cpu_percent for sample in samples[1:])
    return dict(zip(CPU_COLUMNS, (official, true), strict=True))


def _tree(samples: Sequence[Sample], tree_cpu_s: float, cores: int) -> dict[str, float]:
    """The tree's utilisation on the machine's scale; its integral telescopes to the CPU seconds of the last sample."""
    percent = [
        100 * (after.tree_cpu_s - before.tree_cpu_s) / (after.time_s - before.time_s) / cores
        for before, after in pairwise(samples)
    ]
    true = 100 * samples[-1].tree_cpu_s / cores
    peak_ram_mb = max(sample.tree_ram_mb for sample in samples)
    return dict(zip(TREE_COLUMNS, (nominal_area(percent), true, tree_cpu_s, peak_ram_mb), strict=True))


def nominal_area(values: Iterable[float]) -> float:
    """The official area: the sum of the samples times the nominal 0.1 s."""
    return sum(values) * NOMINAL_INTERVAL_S


def trapezoid_area(samples: Sequence[Sample], curve: Sequence[float]) -> float:
    """The integral of `curve` over the samples' time stamps."""
    times = (sample.time_s for sample in samples)
    return sum((b - a) * (x + y) / 2 for (a, b), (x, y) in zip(pairwise(times), pairwise(curve), strict=True))


def stable_maximum(values_mb: Sequence[int]) -> int:
    """FLARE22's maximum: the largest value that more than 2 % of the samples show; the plain one if none does."""
    counts = Counter(values_mb)
    return max((v for v, n in counts.items() if n > STABLE_SHARE * len(values_mb)), default=max(counts))


def over_tolerance(memory_mb: float) -> float:
    """The memory that the ranking sees."""
    return max(0, memory_mb - TOLERANCE_MB)
