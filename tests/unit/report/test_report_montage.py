"""Pictures of scans: right way up, patient's right on the left, physical proportions, the chosen slices."""

import numpy as np
import pytest

from noisy_student.organs import FLARE22
from noisy_student.report.montage import PICTURE_WIDTH_PX, Cut, Layer, choose_cut, picture, sheet, view, window


def colour(label):
    organ = next(organ for organ in FLARE22 if organ.label == label)
    return tuple(int(organ.colour[i : i + 2], 16) for i in (1, 3, 5))


def test_window_is_w400_l40():
    assert window(np.array([-1000, -160, 40, 240, 3000])).tolist() == [0, 0, 127, 255, 255]


def test_slices_with_most_organs_are_chosen():
    truth = np.zeros((6, 7, 8), np.uint8)
    truth[1, 2, :] = 1
    truth[4, 5, 1], truth[4, 5, 2] = 2, 3
    cut = choose_cut(truth, [truth], (400, 400, 400))
    assert (cut.axial, cut.coronal) == (4, 5)
    assert cut.lower_zyx == (1, 2, 0) and cut.upper_zyx == (5, 6, 8)


def test_box_shows_what_any_map_has_labelled():
    truth, prediction = np.zeros((2, 9, 9, 9), np.uint8)
    truth[4, 4, 4], prediction[8, 0, 4] = 1, 1
    cut = choose_cut(truth, [truth, prediction], (400, 400, 400))
    assert cut.lower_zyx == (4, 0, 4) and cut.upper_zyx == (9, 5, 5)


def test_empty_truth_is_cut_in_the_middle():
    cut = choose_cut(np.zeros((4, 6, 8)), [np.zeros((4, 6, 8))], (1, 1, 1))
    assert cut == Cut(2, 3, (0, 0, 0), (4, 6, 8))


def test_front_and_head_are_on_top_and_the_patients_right_is_left():
    volume = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    cut = Cut(1, 2, (0, 0, 0), (2, 3, 4))
    assert view(volume, cut, "axial")[0, 0] == volume[1, 0, 0]
    assert view(volume, cut, "coronal")[0, 0] == volume[1, 2, 0]
    assert view(volume, cut, "coronal")[-1, -1] == volume[0, 2, 3]


@pytest.mark.parametrize(("row_mm", "height"), [(1, 180), (5, 900)])
def test_pixels_have_their_physical_proportions(row_mm, height):
    assert picture(np.zeros((50, 100), np.uint8), Layer(), (row_mm, 1), FLARE22).size == (PICTURE_WIDTH_PX, height)


def test_organs_are_outlined_in_their_colours():
    labels = np.zeros((90, 90), np.uint8)
    labels[20:70, 20:70] = 5
    shown = np.array(picture(np.full((90, 90), 100, np.uint8), Layer(labels), (1, 1), FLARE22))
    assert tuple(shown[80, 180]) == colour(5)
    assert tuple(shown[180, 180]) not in (colour(5), (100, 100, 100))
    assert tuple(shown[40, 180]) == (100, 100, 100)


@pytest.mark.parametrize("thick", [1, 40])
@pytest.mark.parametrize("grey", [0, 120, 255])
def test_what_is_left_out_is_seen_on_any_grey_however_thin_and_nothing_else_is_hatched(thick, grey):
    left_out = np.zeros((90, 90), bool)
    left_out[30 : 30 + thick, 20:70] = True
    plain = np.full((90, 90), grey, np.uint8)
    layers = Layer(), Layer(left_out=left_out)
    before, after = (np.array(picture(plain, layer, (1, 1), FLARE22)).astype(int) for layer in layers)
    inside = np.kron(left_out, np.ones((4, 4), bool))
    changed = (before != after).any(axis=2)
    assert not changed[~inside].any() and changed[inside].mean() > 0.1
    assert {tuple(colour) for colour in after[inside & changed]} == {(value,) * 3 for value in {0, 255} - {grey}}


def test_sheet_holds_all_pictures():
    panel = picture(np.zeros((10, 10), np.uint8), Layer(), (1, 1), FLARE22)
    assert sheet([[panel] * 4, [panel] * 4], ["a", "b", "c", "d"]).width > 4 * PICTURE_WIDTH_PX
