"""Voxels that nobody labelled on the way to the network's grid, and in what is measured of the labelled scans."""

import numpy as np
import pytest
import SimpleITK as sitk

from noisy_student.images import write_image
from noisy_student.plan.label_resampling import resample_labels
from noisy_student.plan.planning import make_fingerprint
from noisy_student.plan.preprocessing import OUTSIDE, labels_on_grid
from sparse_labels import DATASET, IGNORED, LIVER, SHAPE, plan_of, sparse_labels, whole_labels, write_label_map

PROPERTIES = {"bbox_used_for_cropping": [(0, size) for size in SHAPE], "spacing": [1.0, 1.0, 1.0]}


@pytest.mark.parametrize(
    ("spacing_mm", "slices", "apart", "of_nnunet"),
    [
        pytest.param((4.0, 1.0, 1.0), [0, 2, 5, 7], 0, [2, 7], id="apart along z"),
        pytest.param((2.5, 2.0, 2.0), [0, 4, 8, 12], None, [], id="interpolated"),
    ],
)
def test_no_labelled_slice_is_lost_on_a_coarser_grid(spacing_mm, slices, apart, of_nnunet):
    shape = tuple(round(size / mm) for size, mm in zip(SHAPE, spacing_mm, strict=True))
    mask, plan = np.zeros((1, *shape), np.int16), plan_of(spacing_mm)
    stock = resample_labels(sparse_labels(), shape, apart)
    assert np.flatnonzero((stock != IGNORED).any((1, 2))).tolist() == of_nnunet
    labels = labels_on_grid(sparse_labels(), mask, PROPERTIES, plan, IGNORED)[0]
    others = [z for z in range(shape[0]) if z not in slices]
    assert (labels[others] == IGNORED).all() and (labels[slices] != IGNORED).all()
    whole = labels_on_grid(whole_labels(), mask, PROPERTIES, plan)[0]
    assert np.mean(labels[slices] == whole[slices]) > 0.85 and set(np.unique(labels[slices])) == {0, 1, 2}


def test_a_scribble_of_one_voxel_is_not_lost_and_the_nearest_slice_wins():
    labels = np.full(SHAPE, IGNORED, np.uint8)
    labels[8, 4, 4], labels[10, 4, 4], labels[39, 7, 8] = 0, LIVER, LIVER
    found = labels_on_grid(labels, np.zeros((1, 10, 4, 5), np.int16), PROPERTIES, plan_of((4.0, 2.0, 2.0)), IGNORED)[0]
    assert np.argwhere(found != IGNORED).tolist() == [[2, 2, 2], [9, 3, 4]] and found[2, 2, 2] == LIVER


def test_on_a_finer_grid_and_outside_of_the_crop_they_are_as_nnunet_has_them():
    mask = np.full((1, 80, 8, 9), OUTSIDE, np.int16)
    mask[..., 1:] = 0
    labels = labels_on_grid(sparse_labels(), mask, PROPERTIES, plan_of((0.5, 1.0, 1.0)), IGNORED)[0]
    assert labels[0, 0, 0] == OUTSIDE and labels[0, 0, 1] == 0 and labels[5, 0, 0] == IGNORED
    assert (labels != IGNORED).any((1, 2)).sum() == 4 * 2


def test_intensities_are_of_labelled_organs_alone(tmp_path):
    """Where nobody labelled the scan is as dense as bone."""
    labels = sparse_labels()
    scan = np.where(labels == IGNORED, 1000, 40 + labels).astype(np.int16)
    write_image(sitk.GetImageFromArray(scan), tmp_path / "a_0000.nii.gz")
    label_map = write_label_map(labels, tmp_path / "a.nii.gz")
    files = {"a": {"images": [str(tmp_path / "a_0000.nii.gz")], "label": str(label_map)}}
    description = DATASET | {"numTraining": 1, "overwrite_image_reader_writer": "SimpleITKIO", "dataset": files}
    made = make_fingerprint(description, tmp_path / "plans/fingerprint.json", 1, sparse=["a"])
    [found] = made["foreground_intensity_properties_per_channel"].values()
    assert (found["min"], found["max"]) == (41, 42)
