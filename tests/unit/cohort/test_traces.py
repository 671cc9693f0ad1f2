"""What a scan is recognised by: the same however it is stored, another for another scan."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from noisy_student.cohort.traces import CELLS, fingerprint, slice_sha256, trace_columns, traces_of


def scan(seed=0, shape_zyx=(12, 20, 24)):
    return np.random.default_rng(seed).integers(-1000, 1000, shape_zyx).astype(np.int16)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from((np.int16, np.int32, np.float32, np.float64)), st.booleans(), st.integers(0, 5))
def test_the_same_voxels_have_the_same_traces_in_any_type_and_layout(dtype, is_view, seed):
    voxels = scan(seed)
    stored = voxels.astype(dtype)
    if is_view:
        stored = np.asfortranarray(stored[::-1, :, ::-1])[::-1, :, ::-1]
    traces, others = traces_of(voxels), traces_of(stored)
    assert traces.voxels_sha256 == others.voxels_sha256
    assert np.array_equal(traces.slices, others.slices) and np.allclose(traces.fingerprint, others.fingerprint)


@settings(max_examples=50, deadline=None)
@given(st.tuples(st.integers(0, 11), st.integers(0, 19), st.integers(0, 23)))
def test_one_other_voxel_changes_the_checksums_of_the_whole_and_of_its_slice_alone(place):
    voxels = scan()
    changed = voxels.copy()
    changed[place] += 1
    before, after = traces_of(voxels), traces_of(changed)
    assert before.voxels_sha256 != after.voxels_sha256
    assert len(np.intersect1d(before.slices, after.slices)) == 11


@given(st.integers(0, 11), st.integers(1, 12))
def test_a_part_of_the_body_has_the_slices_of_the_whole(start, length):
    whole, part = traces_of(scan()), traces_of(scan()[start : start + length])
    assert np.isin(part.slices, whole.slices).all() and len(part.slices) == min(length, 12 - start)


def test_slices_of_air_padding_and_one_value_are_no_slices_to_share():
    voxels = scan()
    voxels[0], voxels[1], voxels[2] = -1000, 40, np.random.default_rng(1).integers(-1024, -950, (20, 24))
    assert len(traces_of(voxels).slices) == 9
    windowed = np.zeros((2, 20, 24), np.uint8)
    windowed[0, 19, :4], windowed[1, 5:15, 5:15] = 200, voxels[5, 5:15, 5:15] % 256
    assert len(traces_of(windowed).slices) == 1, "a table in air is no body"
    assert len(traces_of(np.concatenate([voxels[3:4]] * 3)).slices) == 1, "each slice once"


def test_the_zeros_are_one_and_the_shape_counts():
    assert slice_sha256(np.zeros((2, 3))) == slice_sha256(-np.zeros((2, 3)))
    assert slice_sha256(np.zeros((2, 3))) != slice_sha256(np.zeros((3, 2)))
    assert traces_of(np.zeros((1, 2, 3))).voxels_sha256 != traces_of(np.zeros((1, 3, 2))).voxels_sha256


@given(st.tuples(*[st.integers(1, 40)] * 3), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_a_fingerprint_has_unit_length_or_is_nothing(shape, seed):
    found = fingerprint(scan(seed, shape))
    assert found.shape == (CELLS**3,) and np.isfinite(found).all()
    assert np.isclose(np.linalg.norm(found), 1, atol=1e-4) or not found.any()
    assert not fingerprint(np.full(shape, 40, np.int16)).any()


@given(st.floats(0.01, 100), st.floats(-2000, 2000))
@settings(max_examples=30, deadline=None)
def test_a_fingerprint_outlasts_any_rescaling(slope, intercept):
    voxels = scan()
    assert fingerprint(voxels) @ fingerprint(voxels * slope + intercept) > 0.999


def test_a_row_gets_both():
    columns = trace_columns(scan())
    assert columns["voxels_sha256"] == columns["traces"].voxels_sha256
