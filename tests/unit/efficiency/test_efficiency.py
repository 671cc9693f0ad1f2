"""The efficiency figures from sample curves chosen by hand."""

import numpy as np
import psutil
import pytest

from noisy_student.efficiency.figures import (
    COLUMNS,
    GPU_COLUMNS,
    PENALTY,
    TREE_GPU_COLUMNS,
    efficiency,
    over_tolerance,
    stable_maximum,
)
from noisy_student.efficiency.sampler import Sample

CORES = psutil.cpu_count()


def samples(times, machine=0, tree_cpu=0, ram=0, gpu=None, tree_gpu=None):
    """Samples with the given time stamps; other curves are sequences, or one value for all."""

    def curve(values):
        return values if isinstance(values, list) else [values] * len(times)

    return [Sample(*row) for row in zip(times, *map(curve, (machine, tree_cpu, ram, gpu, tree_gpu)), strict=True)]


# A sampler that needs 0.2 s a round instead of the nominal 0.1 s.
SLOW = [0.0, 0.2, 0.4, 0.6, 0.8]


def test_the_nominal_area_misses_what_a_slow_sampler_misses():
    row = efficiency("case", "ok", samples(SLOW, machine=[0, 50, 50, 100, 100], gpu=1000), 0)
    assert row["cpu_area_percent_s"] == pytest.approx(300 * 0.1)
    assert row["cpu_area_true_percent_s"] == pytest.approx(300 * 0.2)
    assert row["gpu_area_mb_s"] == pytest.approx(4 * 1000 * 0.1)
    assert row["gpu_area_true_mb_s"] == pytest.approx(1000 * 0.8)
    assert row["seconds"] == row["measured_seconds"] == 0.8


def test_columns_are_those_of_the_table_and_without_a_gpu_empty():
    row = efficiency("case", "ok", samples(SLOW), 0)
    assert set(row) == set(COLUMNS)
    assert all(row[column] is None for column in (*GPU_COLUMNS, *TREE_GPU_COLUMNS))


def test_the_true_gpu_area_is_a_trapezoid():
    row = efficiency("case", "ok", samples([0.0, 1.0, 3.0], gpu=[0, 100, 300]), 0)
    assert row["gpu_area_true_mb_s"] == pytest.approx(50 + 400)


def test_the_tolerance_is_taken_from_each_sample():
    row = efficiency("case", "ok", samples(SLOW, gpu=[0, 2000, 2048, 3048, 4048]), 0)
    assert row["gpu_area_over_tolerance_mb_s"] == pytest.approx((1000 + 2000) * 0.1)
    assert row["gpu_max_over_tolerance_mb"] == 2000
    assert [over_tolerance(mb) for mb in (0, 2048, 2049)] == [0, 0, 1]


def test_the_stable_maximum_needs_more_than_two_percent_of_the_samples():
    assert stable_maximum([100] * 98 + [900] * 2) == 100
    assert stable_maximum([100] * 97 + [900] * 3) == 900
    assert stable_maximum(list(range(200))) == 199


def test_the_trees_area_is_its_cpu_seconds():
    row = efficiency("case", "ok", samples(SLOW, tree_cpu=[0.0, 0.1, 0.3, 0.3, 0.5], ram=[0, 10, 70, 40, 0]), 0.51)
    assert row["tree_cpu_area_true_percent_s"] == pytest.approx(100 * 0.5 / CORES)
    assert row["tree_cpu_area_percent_s"] == pytest.approx(100 * 0.5 / CORES / 2)
    assert row["tree_cpu_s"] == 0.51
    assert row["peak_ram_mb"] == 70


def test_the_trees_gpu_memory_stands_beside_the_devices():
    row = efficiency("case", "ok", samples(SLOW, gpu=3000, tree_gpu=[None, None, 500, 500, None]), 0)
    assert row["tree_gpu_max_mb"] == 500
    assert row["tree_gpu_area_mb_s"] == pytest.approx(100)
    assert row["gpu_max_mb"] == 3000


@pytest.mark.parametrize("outcome", ["timed out", "failed: exit 1"])
def test_a_failed_case_gets_the_penalties_and_keeps_what_was_measured(outcome):
    row = efficiency("case", outcome, samples(SLOW, machine=10, gpu=500), 0)
    assert {column: row[column] for column in PENALTY} == PENALTY
    assert row["outcome"] == outcome
    assert row["measured_seconds"] == 0.8
    assert row["gpu_max_mb"] == 500
    no_gpu = efficiency("case", outcome, samples(SLOW), 0)
    assert no_gpu["gpu_area_mb_s"] is None
    assert no_gpu["seconds"] == 3600


@pytest.mark.parametrize(("limit_s", "seconds"), [(600, 3600), (14_400, 14_400)])
def test_a_failed_case_counts_no_less_than_a_slow_one_may_take(limit_s, seconds):
    row = efficiency("case", "timed out", samples(SLOW, gpu=500), 0, limit_s)
    assert row["seconds"] == seconds
    assert row["gpu_area_mb_s"] == 8192 * seconds and row["cpu_area_percent_s"] == 100 * seconds


def test_penalties_are_an_hour_at_the_challenges_limits():
    assert np.array([PENALTY["gpu_area_mb_s"], PENALTY["cpu_area_percent_s"]]) / 3600 == pytest.approx([8192, 100])
