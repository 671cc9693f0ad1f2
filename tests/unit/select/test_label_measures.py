import numpy as np
import pandas as pd
import pytest

from noisy_student.organs import FLARE22
from noisy_student.select.disagreement import disagreements
from noisy_student.select.measures import label_measures


@pytest.fixture
def label_map():
    """A liver in two pieces, a right and a left kidney on their sides, a spleen at the scan's upper end."""
    array = np.zeros((10, 20, 30), dtype=np.uint8)
    array[2:6, 2:6, 2:6] = 1
    array[8, 8, 8] = 1
    array[2:4, 10:14, 4:8] = 2
    array[2:4, 10:14, 22:26] = 13
    array[9, 2:4, 24:28] = 3
    return array


def measured(array):
    return label_measures(array, 0.5, FLARE22).set_index("organ")


def test_pieces_volume_and_edge(label_map):
    table = measured(label_map)
    assert table.volume_ml["liver"] == 65 * 0.5 and table.components["liver"] == 2
    assert table.stray_share["liver"] == pytest.approx(1 / 65)
    assert table.touches_edge.to_dict() == {organ.name: int(organ.name == "spleen") for organ in FLARE22}


def test_an_absent_organ_has_no_piece_and_no_stray_share(label_map):
    pancreas = measured(label_map).loc["pancreas"]
    assert pancreas.volume_ml == 0 and pancreas.components == 0 and pd.isna(pancreas.stray_share)
    assert measured(np.zeros((3, 3, 3), np.uint8)).volume_ml.sum() == 0


def test_a_planted_swap_of_the_kidneys_is_found(label_map):
    assert measured(label_map).wrong_side.sum() == 0
    swapped = measured(label_map[:, :, ::-1])
    assert set(swapped.index[swapped.wrong_side == 1]) == {"right kidney", "left kidney"}


def test_disagreement_is_blackbeans_formula():
    """u = (Σ(p1≠p2)/Σ(p2>0) + Σ(p2≠p3)/Σ(p3>0)) / 2, worked out by hand."""
    first, second, third = (np.array([[row]], np.uint8) for row in ([1, 1, 0, 0], [1, 2, 2, 0], [1, 2, 0, 0]))
    table = disagreements([first, second, third], FLARE22).set_index("label")
    assert (table.disagreement == (2 / 3 + 1 / 2) / 2).all()
    assert table.organ_disagreement[1] == (1 / 1 + 0) / 2
    assert table.organ_disagreement[2] == (2 / 2 + 1 / 1) / 2
    earlier = np.full_like(first, 5)
    assert disagreements([earlier, first, second, third], FLARE22).disagreement[0] == table.disagreement[1]


def test_disagreement_about_organs_that_are_not_there():
    organ, nothing = np.array([[[1, 0]]], np.uint8), np.zeros((1, 1, 2), np.uint8)
    assert disagreements([nothing, nothing], FLARE22).disagreement[0] == 0
    assert disagreements([organ, nothing], FLARE22).organ_disagreement[0] == 1
    assert disagreements([nothing, nothing], FLARE22).organ_disagreement[0] == 0
    assert disagreements([organ], FLARE22).disagreement.isna().all()
