"""A scan of which every tenth slice is labelled by hand, and plans of a network on a coarser grid."""

import numpy as np
import SimpleITK as sitk

from noisy_student.images import write_image
from noisy_student.plan.preprocessing import (
    ARRAY,
    LABELS,
    MADE_FROM,
    OUTSIDE,
    Plan,
    with_suffix,
    write_array,
    write_properties,
)
from noisy_student.train.masking import with_ignore_label

LIVER, SPLEEN, IGNORED = 1, 2, 3
DATASET = {
    "channel_names": {"0": "CT"},
    "file_ending": ".nii.gz",
    "labels": {"background": 0, "liver": LIVER, "spleen": SPLEEN},
}
SHAPE = (40, 8, 9)
LABELLED_SLICES = slice(0, 40, 10)


def plan_of(spacing_mm_zyx=(4.0, 1.0, 1.0), ignores=True):
    """Plans of a dataset in which there are voxels that nobody labelled, or are none."""
    configuration = {"spacing": list(spacing_mm_zyx), "patch_size": [8, 8, 8], "architecture": {}}
    plans = {
        "label_manager": "LabelManager",
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {"3d_fullres": configuration},
    }
    return Plan(plans, with_ignore_label(DATASET) if ignores else DATASET)


def whole_labels():
    """The label map if all of it were labelled (z, y, x): the liver to one side, the spleen to the other."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 2:6, 1:4], labels[:, 3:7, 5:8] = LIVER, SPLEEN
    return labels


def sparse_labels():
    """Every tenth slice of it."""
    labels = np.full(SHAPE, IGNORED, np.uint8)
    labels[LABELLED_SLICES] = whole_labels()[LABELLED_SLICES]
    return labels


def write_label_map(labels_zyx, path):
    """Write it at 1 mm in LPS orientation; the path."""
    write_image(sitk.GetImageFromArray(labels_zyx), path)
    return path


def write_preprocessed(case, slices):
    """Write the scan on a grid of so many slices, of which the first column lies outside of its crop; its path."""
    shape = (1, slices, *SHAPE[1:])
    mask = np.zeros(shape, np.int16)
    mask[..., 0] = OUTSIDE
    case.parent.mkdir(parents=True, exist_ok=True)
    write_array(np.zeros(shape, np.float32), with_suffix(case, ARRAY), [8, 8, 8])
    write_array(mask, with_suffix(case, LABELS), [8, 8, 8])
    box = [(0, size) for size in SHAPE]
    write_properties({"bbox_used_for_cropping": box, "spacing": [1.0, 1.0, 1.0], MADE_FROM: "a scan"}, case)
    return case
