"""How a hand label in which nobody labelled some voxels is drawn."""

import base64
import json

import numpy as np
import SimpleITK as sitk

from noisy_student.images import read_image, write_image
from noisy_student.organs import Organ
from noisy_student.report.drawn_volumes import draw
from noisy_student.report.examples import layer_of
from noisy_student.report.volumes import CASE_BYTES, Wanted

ORGANS = (Organ(1, "liver"), Organ(2, "spleen"))


def test_what_nobody_labelled_is_hatched_and_no_organ():
    labels = np.array([[[0, 1, 2, 3]]], np.uint8)
    layer = layer_of(labels, ORGANS)
    assert layer.labels.tolist() == [[[0, 1, 2, 0]]] and layer.left_out.tolist() == [[[False, False, False, True]]]


def test_a_whole_label_map_is_drawn_as_it_is():
    labels = np.array([[[0, 1, 2, 0]]], np.uint8)
    assert layer_of(labels, ORGANS).labels is labels and layer_of(labels, ORGANS).left_out is None


def test_the_viewer_which_knows_organs_alone_has_background_there(tmp_path):
    labels = np.zeros((6, 8, 9), np.uint8)
    labels[2:4, 2:6, 2:4], labels[2:4, 2:6, 4:6] = 2, 3
    write_image(sitk.GetImageFromArray(labels), tmp_path / "a.nii.gz")
    write_image(sitk.GetImageFromArray(labels.astype(np.int16)), tmp_path / "a_0000.nii.gz")
    wanted = Wanted("a", tmp_path / "a_0000.nii.gz", {"truth": tmp_path / "a.nii.gz"}, CASE_BYTES, ignore=3)
    assert draw(wanted, tmp_path)["problem"] == ""
    call = (tmp_path / "a.js").read_text().splitlines()[1]
    _, data = json.loads(f"[{call[len('window.takeVolumes(') : -2]}]")
    (tmp_path / "shown.nii.gz").write_bytes(base64.b64decode(data["maps"][1][2]))
    assert set(np.unique(sitk.GetArrayFromImage(read_image(tmp_path / "shown.nii.gz")))) == {0, 2}
