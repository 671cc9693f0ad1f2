import json

import numpy as np
from acvl_utils.morphology.morphology_helper import remove_all_but_largest_component
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nnunetv2.postprocessing.remove_connected_components import remove_all_but_largest_component_from_segmentation

from noisy_student.model import postprocessing
from noisy_student.model.postprocessing import largest_components, largest_pieces, read_steps

STRAY_VOXELS = np.array([[[1, 0, 1, 0, 1]]], np.uint8)


@given(arrays(bool, (3, 4, 4), elements=st.booleans()))
@example(STRAY_VOXELS.astype(bool))
def test_the_largest_components_are_those_that_nnunet_keeps(mask):
    assert (largest_components(mask) == remove_all_but_largest_component(mask)).all()


@given(arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 3)), st.lists(st.sampled_from([[1], [3], [1, 2, 3]])))
@example(STRAY_VOXELS, [[1]])
def test_a_label_map_after_the_steps_is_nnunets(label_map, steps):
    expected = label_map
    for step in steps:
        expected = remove_all_but_largest_component_from_segmentation(expected, step)
    found = largest_pieces(label_map, steps)
    assert found.dtype == np.uint8 and (found == expected).all()


def test_only_the_box_of_an_organ_is_looked_at(monkeypatch):
    """Of a whole scan, for each of fourteen organs, that would take half a minute."""
    shapes = []
    pieces_of = postprocessing.cc3d.connected_components
    monkeypatch.setattr(
        postprocessing.cc3d,
        "connected_components",
        lambda mask, **how: shapes.append(mask.shape) or pieces_of(mask, **how),
    )
    label_map = np.zeros((6, 20, 20), np.uint8)
    label_map[1:3, 4:9, 4:8], label_map[3, 9:11, 6] = 1, 1
    assert (largest_pieces(label_map, [[1], [2]]) == label_map).all() and shapes == [(3, 7, 4)]


def test_largest_pieces_takes_labels_singly_or_together():
    label_map = np.zeros((1, 4, 12), np.uint8)
    label_map[0, 0] = [1, 1, 1, 3, 3, 3, 3, 0, 1, 0, 3, 0]
    singly = largest_pieces(label_map, [[1]])
    assert singly[0, 0].tolist() == [1, 1, 1, 3, 3, 3, 3, 0, 0, 0, 3, 0]
    together = largest_pieces(label_map, [[1, 3]])
    assert together[0, 0].tolist() == [1, 1, 1, 3, 3, 3, 3, 0, 0, 0, 0, 0]
    assert largest_pieces(label_map, ()) is label_map
    assert label_map[0, 0, 8] == 1


def test_the_steps_are_read_from_their_file(tmp_path):
    (tmp_path / "postprocessing.json").write_text(json.dumps({"steps": [[1, 2], [3]], "organs": {}}))
    assert read_steps(str(tmp_path / "postprocessing.json")) == [[1, 2], [3]]
