"""What the list takes from a scan's files."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from noisy_student.files import write_text
from noisy_student.model.label_files import LabelFiles
from noisy_student.model.voxel_confidence import write_confidence
from noisy_student.plan.preprocessing import write_properties
from noisy_student.review.scans import Scan, in_doubt

# Of voxels of 1 ml.
ROW = SimpleNamespace(case="a", spacing_x_mm=10.0, spacing_y_mm=10.0, spacing_z_mm=10.0)


@pytest.mark.parametrize(
    ("undecided", "by_vote", "doubt_ml"), [(True, False, 0.45), (True, True, 0.45 + 2 * 0.95), (False, False, 2.35)]
)
def test_what_a_teacher_marks_as_no_organ_of_the_table_is_no_doubt_but_disagreement_is(
    tmp_path, undecided, by_vote, doubt_ml
):
    files = LabelFiles(tmp_path, "a")
    write_confidence(np.array([[[0, 99, 0, 50]]], np.uint8), files.confidence)
    write_text(files.scores, json.dumps({"undecided": undecided}))
    write_properties({"bbox_used_for_cropping": [[0, 1], [0, 1], [0, 4]]}, tmp_path / "preprocessed/a")
    scan = Scan(ROW, tmp_path / "a.nii.gz", files, tmp_path / "preprocessed/a", by_vote)
    assert in_doubt(scan) == pytest.approx(doubt_ml)
