"""Scans that are in a cohort twice: found however they were changed, and no two different ones taken for one."""

import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import zoom

from noisy_student.cohort.copies import ALIKE, copies, most_alike, same_voxels, shared_slices
from noisy_student.cohort.scans import embedded_folders, find_scans
from noisy_student.cohort.traces import fingerprint, trace_columns
from noisy_student.geometry import CANONICAL_ORIENTATION, reorient
from noisy_student.images import read_image


def resampled(voxels, factors_zyx):
    return zoom(voxels.astype(np.float32), factors_zyx, order=1, grid_mode=True, mode="nearest")


def windowed(voxels, low, high):
    return ((np.clip(voxels, low, high) - low) / (high - low) * 255).astype(np.uint8)


CHANGES = {
    "clipped": lambda voxels: np.clip(voxels, -160, 240),
    "soft tissue window": lambda voxels: windowed(voxels, -160, 240),
    "lung window": lambda voxels: windowed(voxels, -1350, 150),
    "rescaled to 0 to 1": lambda voxels: (np.clip(voxels, -1000, 1000) + 1000) / 2000,
    "without its intercept": lambda voxels: voxels.astype(np.int32) + 1024,
    "half as fine": lambda voxels: resampled(voxels, (1, 0.5, 0.5)),
    "other slices": lambda voxels: resampled(voxels, (0.6, 0.9, 0.9)),
    "finer": lambda voxels: resampled(voxels, (1.3, 1.2, 1.2)),
    "windowed and resampled": lambda voxels: resampled(windowed(voxels, -160, 240), (0.7, 0.6, 0.6)),
}


@pytest.fixture(scope="module")
def scans(embedded):
    """The embedded cohort's scans (z, y, x), turned to canonical orientation: more alike than any patients."""
    paths = [scan.image for scan in find_scans(embedded_folders(embedded))]
    return [sitk.GetArrayFromImage(reorient(read_image(path), CANONICAL_ORIENTATION)) for path in paths]


@pytest.fixture(scope="module")
def fingerprints(scans):
    return [fingerprint(voxels) for voxels in scans]


def row(case, voxels, role="labelled"):
    return {"case": case, "role": role, "image": f"{case}.nii.gz", "size_z": len(voxels), **trace_columns(voxels)}


def noise(seed=0, slices=10):
    return np.random.default_rng(seed).integers(-900, 900, (slices, 16, 18)).astype(np.int16)


def said(rows):
    return [(finding.case, finding.severity, finding.found) for finding in copies(rows)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_scan_is_known_again(scans, fingerprints, change):
    for number, voxels in enumerate(scans[:3]):
        changed = most_alike([*fingerprints, fingerprint(CHANGES[change](voxels))], ())
        assert list(changed) == [(number, len(scans))]


def test_different_scans_are_not_taken_for_one(fingerprints):
    pairs = itertools.combinations(fingerprints, 2)
    assert max(one @ other for one, other in pairs) < ALIKE - 0.02


def test_a_changed_scan_is_a_warning_with_both_names_and_how_alike_they_are(scans):
    found = copies([row("a", scans[0]), row("b", scans[1]), row("c", CHANGES["soft tissue window"](scans[0]), "test")])
    assert [(finding.case, finding.severity) for finding in found] == [("c", "warning")]
    assert "looks like a (labelled)" in found[0].found and "correlate at" in found[0].found
    assert "contrast phase" in found[0].found and "two roles" in found[0].remedy


def test_whole_copies_and_parts_stop_in_two_roles_and_warn_in_one():
    whole = noise()
    rows = [row("a", whole), row("b", whole), row("c", whole[3:], "test"), row("d", noise(1)), row("e", whole[:4])]
    assert said(rows) == [
        ("b", "warning", "the voxels of a (labelled) too"),
        ("c", "error", "7 of its 7 slices are those of a (labelled)"),
        ("e", "warning", "4 of its 4 slices are those of a (labelled)"),
    ]


def test_of_labelled_copies_the_warning_says_what_folds_make_of_them():
    rows = [row("a", noise()), row("b", noise()), row("c", noise()[:4]), row("d", noise(1), "unlabelled")]
    whole, other, part = copies([*rows, row("e", noise(1), "unlabelled")])
    assert "no fold that holds one of them out learns from the other" in whole.remedy
    assert "too good" in part.remedy
    assert other.remedy == "take one of them out (e is unlabelled)"


def test_volumes_that_overlap_are_found_from_one_slice_on():
    rows = [row("a", noise()), row("b", np.concatenate([noise()[-1:], noise(1)]), "test"), row("c", noise(2))]
    assert said(rows) == [("b", "error", "1 of its 11 slices are those of a (labelled)")]


def test_a_chain_of_overlaps_is_followed():
    pieces = [noise(seed, 4) for seed in range(4)]
    together = [np.concatenate(pair) for pair in itertools.pairwise(pieces)]
    slices = [row("", voxels)["traces"].slices for voxels in together]
    assert shared_slices(slices) == {(0, 1): 4, (1, 2): 4}


def test_nothing_is_found_in_nothing():
    assert copies([]) == [] and copies([row("a", noise())]) == []
    assert shared_slices([np.array([], np.uint64)] * 2) == {} and same_voxels([]) == []
    even = [fingerprint(np.full((4, 5, 6), 40))] * 3
    assert most_alike(even, ()) == {}


def test_more_scans_than_are_compared_at_a_time(monkeypatch):
    monkeypatch.setattr("noisy_student.cohort.copies.COMPARED_AT_A_TIME", 3)
    fingerprints = [fingerprint(noise(seed)) for seed in (0, 1, 2, 3, 1, 5, 6, 0, 1)]
    assert list(most_alike(fingerprints, ())) == [(1, 4), (0, 7), (1, 8)]
    assert list(most_alike(fingerprints, {(1, 4), (4, 8)})) == [(0, 7)]
